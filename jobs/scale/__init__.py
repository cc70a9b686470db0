"""What the paper's full run asks of a cluster, and how large arrays end: `python -m jobs.scale volume | arrays`."""
