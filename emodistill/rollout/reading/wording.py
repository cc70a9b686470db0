"""Patterns as lists of phrases, one or more a line, so that they can be read and added to."""

import re


def wording(lines: str, head: str = "", tail: str = "") -> re.Pattern[str]:
    """One compiled pattern: any of the lines, with `head` before it and `tail` after it."""
    return re.compile(head + group(lines) + tail)


def group(lines: str) -> str:
    """The lines as one group of alternatives. A line may go on after a backslash; `# ` starts a comment line."""
    joined = [line.strip() for line in re.sub(r"\\\n\s*", "", lines).splitlines()]
    return "(?:" + "|".join(line for line in joined if line and not line.startswith("# ")) + ")"
