"""Variants on held-out scenarios (METHOD.md §8)."""

import sys

from jobs.common import main

if __name__ == "__main__":
    sys.exit(main("evaluate"))
