"""Tables and figures from the evaluation shards (METHOD.md §8)."""

import sys

from jobs.common import main

if __name__ == "__main__":
    sys.exit(main("tables"))
