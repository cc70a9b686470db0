"""Begin or resume a run: its directory says what it is, and refuses to become another run unasked."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from emodistill import __version__
from emodistill.config import Config
from emodistill.domains import build_scenarios
from emodistill.errors import BadInput
from emodistill.runs import RunDir
from emodistill.stages import STAGES, Fingerprints, ingredients


def prepare(config: Config, root: Path, fresh: bool) -> None:
    """A run directory in which every task can begin, for those who submit the stages themselves."""
    run = RunDir(root)
    run.create()
    with run.lock():
        begin(run, config, fresh)


def begin(run: RunDir, config: Config, fresh: bool) -> None:
    """Record configuration, scenarios and manifest. The caller holds the run's lock.

    `BadInput` if results of another configuration are there, unless `fresh`: then just those are deleted.
    """
    scenarios = build_scenarios(config.scenarios, config.seed)
    _reconcile(run, config, fresh)
    run.write_config(config)
    run.write_scenarios(scenarios)
    run.write_manifest(_manifest(config))


def changed_tasks(run: RunDir, config: Config) -> dict[str, list[str]]:
    """Tasks that were begun with other settings than the current ones, by stage."""
    found: dict[str, list[str]] = {}
    fingerprint = Fingerprints(config)
    for stage in STAGES.values():
        for task in stage.tasks(config):
            claim = run.claim(stage.name, task)
            if claim is not None and claim.fingerprint != fingerprint(stage, task):
                found.setdefault(stage.name, []).append(task)
    return found


def differences(run: RunDir, config: Config) -> list[str]:
    """What the recorded configuration and the current one say differently, readable: `key: old → new`."""
    lines = set()
    for name, recorded in run.manifest().get("stages", {}).items():
        old, new = recorded["ingredients"], json.loads(json.dumps(ingredients(STAGES[name], config)))
        lines |= {f"{key}: {old.get(key)!r} → {new.get(key)!r}" for key in {*old, *new} if old.get(key) != new.get(key)}
    return sorted(lines)


def _reconcile(run: RunDir, config: Config, fresh: bool) -> None:
    changed = changed_tasks(run, config)
    if changed and not fresh:
        raise BadInput(
            f"{run.root} holds results of another configuration: {'; '.join(differences(run, config))}. "
            f"Stages affected: {', '.join(changed)}. "
            "Give --fresh to delete just those results and do them again, or --out to use another folder."
        )
    for name in reversed(changed):
        for task in changed[name]:
            run.clear(name, task)


def _manifest(config: Config) -> dict[str, Any]:
    stages = {
        stage.name: {"tasks": list(stage.tasks(config)), "ingredients": ingredients(stage, config)}
        for stage in STAGES.values()
    }
    return {"name": config.name, "seed": config.seed, "code": code_version(), "stages": stages}


def code_version() -> str:
    """Package version, and the git commit where there is one."""
    if shutil.which("git") is None:
        return __version__
    done = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{__version__} {done.stdout.strip()}".strip()
