"""Rewards, states, transitions and training dialogues (METHOD.md §4)."""

import sys

from jobs.common import main

if __name__ == "__main__":
    sys.exit(main("dataset"))
