"""Scores the reader on a labelled file: one JSON object a line with domain, text, offer, accepts, walks, tag.

`speaker` names the role of somebody whose text begins with its own tag.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from emodistill.domains.quantities import Clock, Duration
from emodistill.records import Reading
from emodistill.rollout.offers import read

QUANTITIES = {
    "crad": Duration("days"),
    "disaster": Duration("minutes"),
    "hospital": Duration("days"),
    "student": Clock(21),
}
MOVES = ("offer", "accepts", "walks")


@dataclass
class Score:
    """Counts of one move: right ones, heard ones, and those that the labels hold."""

    right: int = 0
    heard: int = 0
    there: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.heard if self.heard else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else 1.0


@dataclass
class Scores:
    moves: dict[str, Score]
    accuracy: dict[str, tuple[int, int]]  # domain or tag: utterances read right in all three moves, and all
    failures: list[str]

    def table(self) -> str:
        lines = [f"{move:8} precision {s.precision:.3f} recall {s.recall:.3f}" for move, s in self.moves.items()]
        return "\n".join([*lines, *(f"{key:12} {right}/{all_}" for key, (right, all_) in self.accuracy.items())])


def score(path: Path) -> Scores:
    moves, failures = {move: Score() for move in MOVES}, []
    right: dict[str, list[bool]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        want = Reading(row["offer"], row["accepts"], row["walks"])
        got = read(row["text"], QUANTITIES[row["domain"]], row.get("speaker", ""))
        for move in MOVES:
            wanted, heard = getattr(want, move), getattr(got, move)
            there, said = wanted not in (None, False), heard not in (None, False)
            moves[move].there += there
            moves[move].heard += said
            moves[move].right += there and said and abs(wanted - heard) <= 0.5
        for key in ("all", row["domain"], row["tag"]):
            right[key].append(want == got)
        if want != got:
            failures.append(f"{row['domain']} {row['tag']}: {row['text']!r} is {want}, read as {got}")
    return Scores(moves, {key: (sum(marks), len(marks)) for key, marks in right.items()}, failures)
