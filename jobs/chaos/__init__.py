"""Kill a run's processes at random, again and again: is anything lost? `python -m jobs.chaos --json`."""
