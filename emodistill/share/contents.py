"""What of a run can be shared: what is finished under its present configuration, checked to be whole."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emodistill import files
from emodistill.config import Config
from emodistill.errors import BadInput
from emodistill.ledger import Ledger
from emodistill.records import Scenario
from emodistill.runs import RunDir
from emodistill.share.names import base_id, without_paths
from emodistill.stages import STAGES

TableRows = list[dict[str, str]]
# Of several adapters the first of these lies at the top of the folder.
_MAIN = (("jpo", "emotion"), ("sft", "emotion"))
# Tables beside the main one, if the run asked for them, and what they say.
FURTHER = {
    "ablation": "The signal that one stage learns from: utility, and the paired difference to `full`",
    "transfer": "Utility by the domain that is played, for policies trained on one domain or all",
    "unseen": "Against counterparties that the training has not met: utility, and the difference to the usual one",
    "tournament": "Trained policies against one another: utility of the one on the focal seat (rows)",
}


@dataclass(frozen=True, slots=True)
class Adapter:
    """A trained adapter; `folder`: where its files lie now."""

    stage: str
    task: str
    folder: Path

    @property
    def name(self) -> str:
        """What it is called in the shared folder."""
        return f"{self.stage}-{self.task}"


@dataclass(frozen=True, slots=True)
class Contents:
    """A run as others will see it. `tables`: name to rows; shards by task, with what was finished alone."""

    config: Config
    base: str
    adapters: tuple[Adapter, ...]  # the main one first
    selectors: dict[str, Path]  # task -> folder
    rollouts: dict[str, Path]
    verdicts: dict[str, Path]
    evaluated: dict[str, tuple[Path, ...]]  # variant -> shards
    scenarios: dict[str, Scenario]
    tables: dict[str, TableRows]


def contents(run: RunDir, base: str | None) -> Contents:
    """Everything of the run that is finished; `BadInput` if that is no adapter, or if a file is not as it was."""
    config = run.config()
    done = _Done(run, config)
    adapters = [
        Adapter(stage, task, run.path(stage, task, "adapter")) for stage in ("jpo", "sft") for task in done.tasks(stage)
    ]
    adapters.sort(key=lambda one: _MAIN.index((one.stage, one.task)) if (one.stage, one.task) in _MAIN else len(_MAIN))
    if not adapters:
        raise BadInput(_nothing(run))
    return Contents(
        config=config,
        base=base_id(config.models.student.model, base),
        adapters=tuple(adapters),
        selectors={task: run.path("iql", task) for task in done.tasks("iql")},
        rollouts={task: run.shard("rollout", task) for task in done.tasks("rollout")},
        verdicts={task: run.shard("judge", task) for task in done.tasks("judge")},
        evaluated={task: done.shards("evaluate", task) for task in done.tasks("evaluate")},
        scenarios=run.scenarios(),
        tables={
            name: _rows(run.path("tables", f"{name}.csv")) if done.tasks("tables") else []
            for name in ("main", "differences", "judge", *FURTHER)
        },
    )


def _nothing(run: RunDir) -> str:
    """Why there is no adapter."""
    if not any(found for stage in ("sft", "jpo") for found in run.path(stage).glob("*.done")):
        return f"{run.root} has no finished adapter to share. Train one first: emodistill run."
    made = run.manifest().get("code", "another version")
    return (
        f"The adapters in {run.root} are not those of this program and its config.yaml: {made} made them, or something "
        "before them was made anew. Export with that version, or give the run's own command again."
    )


class _Done:
    """The finished tasks of a run; their files are checked against their markers when they are asked for."""

    def __init__(self, run: RunDir, config: Config) -> None:
        self._run, self._config, self._ledger = run, config, Ledger(run, config)

    def tasks(self, stage: str) -> list[str]:
        found = [task for task in STAGES[stage].tasks(self._config) if self._ledger.is_done(STAGES[stage], task)]
        for task in found:
            for path, checksum in self._files(stage, task):
                if files.sha256(path) != checksum:
                    raise BadInput(f"{path} is not as it was written. Mend the run first: emodistill verify "
                                   f"{self._run.root} --repair, and its own command again.")  # fmt: skip
        return found

    def shards(self, stage: str, task: str) -> tuple[Path, ...]:
        return tuple(path for path, _ in self._files(stage, task) if path.suffix == ".h5")

    def _files(self, stage: str, task: str) -> Iterator[tuple[Path, str]]:
        marker = self._ledger.marker(STAGES[stage], task)
        for name, checksum in marker.files.items() if marker else ():
            yield self._run.path(name), checksum


def _rows(path: Path) -> TableRows:
    """A table's rows, without any path that a model's name may hold."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: without_paths(value or "") for key, value in row.items() if key} for row in csv.DictReader(file)]
