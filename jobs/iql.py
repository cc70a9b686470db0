"""The emotion selector by Implicit Q-Learning (METHOD.md §5)."""

import sys

from jobs.common import main

if __name__ == "__main__":
    sys.exit(main("iql"))
