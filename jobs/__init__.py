"""Launch scripts: one file a stage.

`python -m jobs.rollout --run results/demo --shard 3` does what a submitit job does.
"""
