"""Judge Policy Optimization from the SFT adapter (METHOD.md §7)."""

import sys

from jobs.common import main

if __name__ == "__main__":
    sys.exit(main("jpo"))
