"""The run directory: paths, manifest, task markers and claims, and the lock (DESIGN.md).

A task is done when its marker says so *and* the marker's fingerprint and input digest are the current ones, so a
changed input makes everything after it run again. Markers come last: file, sync, rename, then marker.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from emodistill import files
from emodistill.config import Config
from emodistill.configfile import load_config, resolved_yaml
from emodistill.errors import BadInput, RunFailed, shown
from emodistill.locks import Held, hold
from emodistill.records import Scenario

_Record = TypeVar("_Record")
# What follows a task's name and a dot; other tasks' names may go on after one too, as `full.vs-threat` after `full`.
_KIND = re.compile(r"done|identity|failed|tries|spent|progress(\.tmp)?|(part-\d+-\d+\.)?h5(\.damaged)?")
NEEDED_BYTES = 1_000_000_000  # below this much free disk no run is started


@dataclass(frozen=True, slots=True)
class Marker:
    """What a finished task left: row counts and the checksum of each file, relative to the run directory."""

    stage: str
    task: str
    fingerprint: str
    inputs: str  # digest of the upstream markers this task read
    rows: int
    errors: int  # technical errors among the rows; asked for again on the next run
    seconds: float
    files: dict[str, str]
    usage: dict[str, float] = field(default_factory=dict)
    tries: int = 1  # how often this task has ended with these inputs

    def digest(self) -> str:
        """Identifies what was produced: everything but the time it took."""
        return hashlib.sha256(
            json.dumps([self.fingerprint, self.inputs, sorted(self.files.items())]).encode()
        ).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that was given up: what depends on it goes on without it, if it can, and says so."""

    stage: str
    task: str
    fingerprint: str
    inputs: str
    tries: int
    reason: str
    tail: str = ""  # of the log, as it was then


@dataclass(frozen=True, slots=True)
class Claim:
    """What a task was begun with: its configuration's fingerprint and the digest of its inputs."""

    fingerprint: str
    inputs: str


def _recorded(kind: type[_Record], path: Path | str) -> _Record | None:
    try:
        return files.record(kind, files.read_sealed(path))
    except (FileNotFoundError, ValueError):
        return None


def _is_of(task: str, name: str) -> bool:
    """Whether a file of that name, beside the tasks' folders, is one that the task writes."""
    return name.startswith(f"{task}.") and _KIND.fullmatch(name, len(task) + 1) is not None


def scenarios_of(rows: Any) -> list[Scenario]:
    """Scenarios as JSON holds them; `ValueError` for anything else."""
    try:
        return _scenarios().validate_python(rows)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "all of it"
        raise ValueError(f"it holds no scenarios: {shown(where)}: {shown(first['msg'])}") from None


@cache
def _scenarios() -> TypeAdapter[list[Scenario]]:
    return TypeAdapter(list[Scenario])


def _manifest(data: dict[str, Any]) -> dict[str, Any]:
    """The manifest as it was read; `ValueError` if it is shaped otherwise, or names a file outside of the run."""
    named, stages = data.get("files", {}), data.get("stages", {})
    if not isinstance(named, dict) or not all(map(files.inside, named)):
        raise ValueError("its files are none of the run's")
    if not isinstance(stages, dict) or not all(map(_is_described, stages.values())):
        raise ValueError("its stages are not described")
    return data


def _is_described(told: Any) -> bool:
    if not isinstance(told, dict) or not isinstance(told.get("ingredients"), dict):
        return False
    own = told.get("own", {})
    return isinstance(own, dict) and all(isinstance(settings, dict) for settings in own.values())


class RunDir:
    """One run's folder. Constructing it touches nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def existing(cls, root: Path) -> "RunDir":
        """The run in that folder; `BadInput` if there is none."""
        if not (root / "config.yaml").is_file():
            raise BadInput(
                f"{root} is no run directory: it has no config.yaml. Name a folder that `emodistill run` made."
            )
        return cls(root)

    def path(self, *parts: str) -> Path:
        """A path inside the run."""
        return self.root.joinpath(*parts)

    def create(self) -> None:
        """Make the folder; `BadInput` if it cannot be written to or the disk is too small."""
        was_there = self.root.exists()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.path(f".probe.{os.getpid()}")
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise BadInput(
                f"The results folder {self.root} cannot be written to ({error.strerror}). Choose another with --out."
            ) from None
        free = shutil.disk_usage(self.root).free
        if free < NEEDED_BYTES:
            if not was_there:
                self.root.rmdir()
            raise BadInput(
                f"Only {free / 1e9:.2f} GB are free at {self.root}; a run needs {NEEDED_BYTES / 1e9:.0f} GB. "
                "Free some space, or choose another disk with --out."
            )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for one driver; `BadInput` names who has it."""
        try:
            with hold(self.path(".lock")):
                yield
        except Held as held:
            raise BadInput(f"{self.root} is in use by {held}. Wait for it, or stop it, and try again.") from None

    def config(self) -> Config:
        """The resolved configuration the run was started with."""
        return load_config(self.path("config.yaml"))

    def write_config(self, config: Config) -> None:
        """Record the complete configuration."""
        files.write_text(self.path("config.yaml"), resolved_yaml(config))

    def manifest(self) -> dict[str, Any]:
        """Per stage: fingerprint and what went into it; empty before the first run."""
        try:
            return _manifest(files.read_sealed(self.path("manifest.json")))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise RunFailed(f"{self.path('manifest.json')} is damaged ({error}). Run again with --fresh.") from None

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace the manifest; it keeps the checksums of the configuration and the scenarios."""
        inputs = self.checksums([self.path("config.yaml"), self.path("scenarios.json")])
        files.write_sealed(self.path("manifest.json"), {**manifest, "files": inputs})

    def write_scenarios(self, scenarios: tuple[Scenario, ...]) -> None:
        """Record the run's scenarios."""
        files.write_json(self.path("scenarios.json"), [asdict(scenario) for scenario in scenarios])

    def scenarios(self) -> dict[str, Scenario]:
        """The run's scenarios by id, in file order."""
        path = self.path("scenarios.json")
        try:
            made = scenarios_of(files.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise RunFailed(
                f"{path} cannot be read ({error}). Give the run's command again, which writes it."
            ) from None
        return {scenario.id: scenario for scenario in made}

    def shard(self, stage: str, task: str) -> Path:
        """The HDF5 file of a shard task."""
        return self.path(stage, f"{task}.h5")

    def marker_path(self, stage: str, task: str) -> Path:
        """Where a task's marker lies."""
        return self.path(stage, f"{task}.done")

    def marker(self, stage: str, task: str) -> Marker | None:
        """The marker of a finished task; None if it has not finished or its marker is unreadable."""
        marker = _recorded(Marker, f"{self.root}/{stage}/{task}.done")
        return marker if marker is not None and all(map(files.inside, marker.files)) else None

    def mark(self, marker: Marker) -> None:
        """Declare a task finished."""
        files.write_sealed(self.marker_path(marker.stage, marker.task), asdict(marker))
        self.forgive(marker.stage, marker.task)

    def remark(self, stage: str, task: str, paths: list[Path]) -> None:
        """These files of a task that has finished were written anew; of one that has not, nothing is recorded."""
        marker = self.marker(stage, task)
        if marker is not None:
            self.mark(replace(marker, files=self.checksums(paths)))

    def failure_path(self, stage: str, task: str) -> Path:
        """Where it is recorded that a task was given up."""
        return self.path(stage, f"{task}.failed")

    def failure(self, stage: str, task: str) -> Failure | None:
        """Why a task was given up; None if it was not."""
        return _recorded(Failure, self.failure_path(stage, task))

    def give_up(self, failure: Failure) -> None:
        """Declare that a task will not be tried again until it is asked for anew."""
        files.write_sealed(self.failure_path(failure.stage, failure.task), asdict(failure))

    def forgive(self, stage: str, task: str) -> None:
        """The task is to be tried again."""
        self.failure_path(stage, task).unlink(missing_ok=True)

    def claim_path(self, stage: str, task: str) -> Path:
        """Where a task says what it was begun with."""
        return self.path(stage, f"{task}.identity")

    def claim(self, stage: str, task: str) -> Claim | None:
        """What the task was last begun with; None if it was not. `RunFailed` if that cannot be read."""
        path = self.claim_path(stage, task)
        try:
            return files.record(Claim, files.read_sealed(path))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunFailed(
                f"{path} is damaged ({error}): whose results lie there cannot be told. "
                "Mend it with `emodistill verify --repair`, and run again."
            ) from None

    def lock_path(self, stage: str, task: str) -> Path:
        """What the process that runs a task holds."""
        return self.path(stage, f".{task}.lock")

    def spent_path(self, stage: str, task: str) -> Path:
        """Where it is kept what a task has used, until its marker says so."""
        return self.path(stage, f"{task}.spent")

    def begin(self, stage: str, task: str, claim: Claim) -> None:
        """Claim the task's files, after deleting what another configuration or other inputs left."""
        if self.claim(stage, task) != claim:
            self.clear(stage, task)
            files.write_sealed(self.claim_path(stage, task), asdict(claim))

    def sweep(self, stage: str, task: str, alone: bool) -> None:
        """Delete the temporary files of a killed process; `alone`: the stage has no other task."""
        beside = [path for path in self.path(stage).glob(".*.tmp")
                  if alone or _is_of(task, path.name[1:].rsplit(".", 2)[0])]  # without the writer's number  # fmt: skip
        for leftover in [*beside, *self.path(stage, task).glob(".*.tmp")]:
            leftover.unlink(missing_ok=True)

    def checksums(self, paths: list[Path]) -> dict[str, str]:
        """Checksum of each file, by its path relative to the run."""
        return {str(path.relative_to(self.root)): files.sha256(path) for path in sorted(paths)}

    def whole(self, marker: Marker) -> bool:
        """Whether every file of a finished task is there."""
        return all(os.path.isfile(f"{self.root}/{name}") for name in marker.files)  # noqa: PTH113  a Path takes long

    def clear(self, stage: str, task: str) -> None:
        """Delete everything a task has written, its marker first."""
        marker = self.marker(stage, task)
        self.marker_path(stage, task).unlink(missing_ok=True)
        own = [path for path in self.path(stage).glob(f"{task}.*") if _is_of(task, path.name)]
        for path in [*own, *map(self.path, marker.files if marker else ())]:
            path.unlink(missing_ok=True)
        shutil.rmtree(self.path(stage, task), ignore_errors=True)
