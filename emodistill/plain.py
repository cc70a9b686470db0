"""Plain text for people: aligned tables, durations and counts."""

from collections.abc import Collection, Sequence


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    words: Collection[str] = ("stage",),
    keep: Collection[str] | None = None,
) -> list[str]:
    """Lines of a table: columns of `words` to the left, numbers to the right.

    With `keep`, all other columns that say nothing are left out.
    """
    told = [
        k
        for k, name in enumerate(header)
        if keep is None or name in keep or any(row[k] not in ("", "0", "-") for row in rows)
    ]
    cells = [[line[k] for k in told] for line in (header, *rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(told))]
    return [
        "  ".join(
            cell.ljust(width) if name in words else cell.rjust(width)
            for name, cell, width in zip(cells[0], line, widths, strict=True)
        ).rstrip()
        for line in cells
    ]


def duration(seconds: float | None) -> str:
    """`1.2 s`, `3.5 min`, `7.2 h`, `3.1 d`; `-` for unknown."""
    if seconds is None:
        return "-"
    for unit, size, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * size:
            return f"{seconds / size:.{0 if seconds >= 10 * size else 1}f} {unit}"
    return f"{seconds / 86400:.1f} d"


def number(value: float | None) -> str:
    """`7`, `0.25`, `1,234`, `5.6 M`; `-` for unknown."""
    if value is None:
        return "-"
    for unit, size in (("G", 1e9), ("M", 1e6)):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
