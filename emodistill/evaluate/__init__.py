"""Variants on held-out scenarios, and the metrics of METHOD.md §8."""
