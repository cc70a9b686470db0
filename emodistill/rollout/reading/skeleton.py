"""A sentence as a skeleton in which each figure is one mark, so that rules of wording read `your #`, `# is too long`.

Marks: `#` an amount or a time of the domain's kind, `~` a bare number, `¤` a figure that cannot be an offer (money,
percentages, dates, another kind of time).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure at text[start:end]. `value` is in the domain's unit, None if it cannot be an offer."""

    start: int
    end: int
    value: float | None
    unit: float | None  # what its unit is worth in the domain's unit; None for a bare number
    former: bool = False  # the first of two in `from 60 down to 45`

    @property
    def mark(self) -> str:
        """Its place holder in the skeleton."""
        return "¤" if self.value is None else "~" if self.unit is None else "#"


def skeleton(text: str, found: list[Figure]) -> tuple[str, list[int]]:
    """The sentence with one mark for each figure, and where the marks are."""
    pieces: list[str] = []
    places: list[int] = []
    last, length = 0, 0
    for figure in found:
        pieces += (text[last : figure.start], figure.mark)
        length += figure.start - last
        places.append(length)
        length, last = length + 1, figure.end
    return "".join((*pieces, text[last:])), places
