"""Patterns as lists of phrases, one a line, so that they can be read and added to."""

import re


def wording(lines: str, head: str = "", tail: str = "") -> re.Pattern[str]:
    """One compiled pattern: any of the lines, each with `head` before it and `tail` after it."""
    return re.compile(head + group(lines) + tail)


def group(lines: str) -> str:
    """The lines as one group of alternatives, to build patterns from."""
    return "(?:" + "|".join(line.strip() for line in lines.splitlines() if line.strip() and not line.strip().startswith("# ")) + ")"
