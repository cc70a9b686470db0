"""Sweeps that were played elsewhere: read from the authors' format, kept in a run, and taken up as its rollouts."""
