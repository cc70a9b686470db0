"""What the figures need of an evaluation cell, from its columns of numbers: no text is decoded. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from emodistill.records import Scenario
from emodistill.report.figures import Standing
from emodistill.shards import Table


def standing_offers(episodes: Table, scenarios: dict[str, Scenario]) -> Standing:
    """Positions of both seats' standing offers while each negotiation runs; technical errors are left out."""
    rows = list(_spans(episodes))
    most = max((stop - start for start, stop, _ in rows), default=0)
    seats = np.full((2, len(rows), most), np.nan)
    for k, (start, stop, scenario_id) in enumerate(rows):
        scenario, standing = scenarios[scenario_id], [np.nan, np.nan]
        for i, offer in enumerate(episodes["turn.offer"][start:stop].tolist()):
            if offer == offer:
                standing[i % 2] = scenario.pos(offer)
            seats[:, k, i] = standing
    return Standing(*seats)


def emotions_by_turn(episodes: Table) -> dict[str, np.ndarray]:
    """Emotion → how often the focal side was told to show it at each of its turns: int [focal turns]."""
    rows = list(_spans(episodes))
    shown = list(episodes["turn.emotion"])
    most = max((-(-(stop - start) // 2) for start, stop, _ in rows), default=0)
    counts: dict[str, np.ndarray] = {}
    for start, stop, _ in rows:
        for t, emotion in enumerate(shown[start:stop:2]):
            if emotion:
                counts.setdefault(emotion, np.zeros(most, np.int64))[t] += 1
    return counts


def summed_turns(cells: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The counts of several cells, each over its own longest dialogue, over the longest of all: int [focal turns]."""
    most = max((len(counts) for cell in cells for counts in cell.values()), default=0)
    total: dict[str, np.ndarray] = {}
    for cell in cells:
        for emotion, counts in cell.items():
            total.setdefault(emotion, np.zeros(most, np.int64))[: len(counts)] += counts
    return total


def _spans(episodes: Table) -> Iterator[tuple[int, int, str]]:
    """First turn, end and scenario of each valid episode."""
    ends = np.cumsum(episodes["messages"], dtype=np.int64).tolist()
    for start, stop, status, scenario_id in zip(
        [0, *ends], ends, episodes["status"], episodes["scenario_id"], strict=False
    ):
        if status != "error":
            yield start, stop, scenario_id
