"""Which figures a run has, and the words that go with each: from whatever of it is there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emodistill.config import Config
from emodistill.emotions import GOEMOTIONS
from emodistill.evaluate.cells import Cell, cells
from emodistill.ledger import Ledger
from emodistill.records import Scenario
from emodistill.report import figures
from emodistill.report.plays import emotions_by_turn, standing_offers, summed_turns
from emodistill.report.sheet import Sheet
from emodistill.report.statistics import Estimate, cluster_ratio
from emodistill.report.tables import Row
from emodistill.runs import RunDir
from emodistill.shards import open_table
from emodistill.stages import STAGES

# stage → (what it logs, what people call it)
_LOGGED = {
    "iql": (("v_loss", "selector: V loss (expectile)"), ("q_loss", "selector: Q loss")),
    "sft": (("loss", "SFT: cross-entropy a token"),),
    "jpo": (("loss", "JPO: loss"), ("kl", "JPO: KL to the SFT policy")),
}
_MOST_PANELS = 9


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that was drawn: `paths` are its SVG and PNG; `caption` says what it shows to who cannot see it."""

    name: str
    caption: str
    paths: tuple[Path, ...]


class Draws:
    """Draws figures of one run; `done` lists them in the order of the report."""

    def __init__(self, run: RunDir, config: Config, ledger: Ledger, who: str) -> None:
        self._run, self._config, self._ledger = run, config, ledger
        self._title = f"{config.name}: {{}}, {who}"
        self.done: list[Figure] = []

    def utility(self, rows: Sequence[Row], title: str) -> None:
        """The main table's utility."""
        if rows:
            counts = sorted({row.n for row in rows})
            note = f"n = {' to '.join(map(str, counts[:: max(1, len(counts) - 1)]))} episodes a variant"
            paths = self._add("utility", "Utility of each variant with its 95 % interval.")
            figures.utility_figure(rows, title, note, paths)

    def offers(self, scenarios: dict[str, Scenario]) -> None:
        """The main variants' standing offers."""
        found = {}
        for cell, path in list(self._played("main"))[:_MOST_PANELS]:
            with open_table(path) as episodes:
                standing = standing_offers(episodes, scenarios)
            if len(standing):
                found[cell.name] = standing
        if found:
            paths = self._add("offers", "Position of both sides' standing offers after each message: medians, and "
                              "quartiles as bands, of the negotiations that still run.")  # fmt: skip
            title = self._title.format("standing offers")
            figures.offers_figure(found, title, "median and quartiles of negotiations still running", paths)

    def emotions_shown(self) -> None:
        """What the configured selector showed at which turn, over the main cells that have it."""
        shown, names = [], []
        for cell, path in self._played("main"):
            if cell.variant.selector == "iql":
                with open_table(path) as episodes:
                    shown.append(emotions_by_turn(episodes))
                names.append(cell.name)
        if total := summed_turns(shown):
            paths = self._add("emotions-by-turn", f"Which emotion the trained selector shows at which of the focal "
                              f"side's turns, in the cells {', '.join(names)}.")  # fmt: skip
            title = self._title.format("emotions the selector shows")
            figures.emotion_turns_figure(total, title, f"Cells: {', '.join(names)}", paths)

    def emotions_worth(self, emotions: Sheet | None) -> None:
        """What each emotion is worth: to its turn in the sweep, and to a whole negotiation where that was played."""
        path, settings = self._run.path("dataset", "transitions.h5"), (self._config.report.resamples, self._config.seed)
        if self._is_done("dataset") and path.is_file():
            with open_table(path) as data:
                emotion, reward, scenario = (np.asarray(data[key]) for key in ("a_tm1", "outcome_t", "scenario"))
                found = turn_worth(emotion, reward, scenario, *settings)
            paths = self._add("emotion-rewards", "Mean reward of the focal turns of the sweep that show an emotion, "
                              "minus the mean over all turns of the same scenario.")  # fmt: skip
            title = self._title.format("reward of a turn by emotion, training sweep")
            figures.emotion_figure(found, title, "reward of the turn minus its scenario's mean", paths, digits=2)
        if emotions is not None:
            k = [column.key for column in emotions.columns].index("difference")
            shown = {str(row[0]): e for row in emotions.rows if isinstance(e := row[k], Estimate)}
            if shown:
                caption = "Utility with each emotion at every turn, minus that with neutral."
                paths = self._add("emotion-shifts", caption)
                figures.emotion_figure(shown, emotions.title, "utility minus that of neutral, points", paths)

    def matrices(self, sheets: Mapping[str, Sheet]) -> None:
        """Transfer and tournament tables as shaded matrices."""
        for name in ("transfer", "tournament"):
            if name in sheets:
                sheet = sheets[name]
                shown = sheet.shown()
                values = np.array([[_value(row[k]) for k in shown[1:]] for row in sheet.rows], np.float64)
                headings = [sheet.columns[k].heading for k in shown]
                paths = self._add(name, f"{sheet.title}: the same figures as in the table.")
                rows, note = [str(row[0]) for row in sheet.rows], f"rows: {headings[0]}; {' '.join(sheet.notes)}"
                figures.matrix_figure(rows, headings[1:], values, sheet.title, note, paths)

    def training(self) -> None:
        """What the trained stages logged."""
        panels: dict[str, list[figures.Curve]] = {}
        for stage, quantities in _LOGGED.items():
            for task in STAGES[stage].tasks(self._config):
                path = self._run.path(stage, task, "metrics.jsonl")
                if not path.is_file():
                    continue
                logged = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
                for key, label in quantities:
                    rows = [(row["step"], row[key]) for row in logged if key in row]
                    if rows:
                        panels.setdefault(label, []).append(figures.Curve(task, *zip(*rows, strict=True)))
        if panels:
            paths = self._add("training", "Training curves of the selector, SFT and JPO by optimiser step.")
            figures.training_figure(panels, f"{self._config.name}: training", paths)

    def _played(self, group: str) -> Iterator[tuple[Cell, Path]]:
        for name, cell in cells(self._config).items():
            if cell.group == group and self._ledger.is_done(STAGES["evaluate"], name):
                yield cell, self._run.path("evaluate", name, "shard-00000.h5")

    def _is_done(self, stage: str) -> bool:
        return all(self._ledger.is_done(STAGES[stage], task) for task in STAGES[stage].tasks(self._config))

    def _add(self, name: str, caption: str) -> tuple[Path, ...]:
        paths = tuple(self._run.path("figures", f"{name}.{kind}") for kind in ("svg", "png"))
        self.done.append(Figure(name, caption, paths))
        return paths


def turn_worth(
    emotion: np.ndarray, reward: np.ndarray, scenario: np.ndarray, resamples: int, seed: int
) -> dict[str, Estimate]:
    """Emotion → mean over its turns of the reward minus the mean of all turns of the same scenario.

    All [n], one entry a focal turn: emotion's index, reward (with the terminal one on the last turn), scenario's place.
    """
    _, place = np.unique(scenario, return_inverse=True)
    means = np.bincount(place, reward) / np.maximum(1, np.bincount(place))
    centred, found = reward - means[place], {}
    for k in np.unique(emotion):
        of = emotion == k
        found[GOEMOTIONS[k]] = cluster_ratio(centred[of], np.ones(of.sum()), scenario[of], resamples, seed)
    return found


def _value(cell: object) -> float:
    return cell.value if isinstance(cell, Estimate) else np.nan
