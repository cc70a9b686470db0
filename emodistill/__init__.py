"""EmoDistill: teach small language models when and how to show emotion in a negotiation, as batch jobs."""

__version__ = "0.1.0"
