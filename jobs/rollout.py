"""Random-emotion sweep episodes into HDF5 shards (METHOD.md §3)."""

import sys

from jobs.common import main

if __name__ == "__main__":
    sys.exit(main("rollout"))
