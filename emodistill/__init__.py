"""EmoDistill: teach small language models when and how to show emotion in a negotiation, as batch jobs."""

import os

__version__ = "0.1.0"

# Else pydantic reads the entry points of every installed package, which takes a network file system its time.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
