"""Judge scores of every focal utterance, beside each rollout shard (METHOD.md §4)."""

import sys

from jobs.common import main

if __name__ == "__main__":
    sys.exit(main("judge"))
