"""LoRA-SFT on the best turns (METHOD.md §6)."""

import sys

from jobs.common import main

if __name__ == "__main__":
    sys.exit(main("sft"))
