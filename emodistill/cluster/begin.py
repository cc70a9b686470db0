"""Begin or resume a run: its directory says what it is, and refuses to become another run unasked."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from emodistill import __version__
from emodistill.config import Config
from emodistill.domains import build_scenarios
from emodistill.errors import BadInput
from emodistill.kinds import recorded_stages
from emodistill.ledger import Ledger
from emodistill.runs import RunDir
from emodistill.stages import STAGES, Fingerprints, Stage, ingredients, own_ingredients
from emodistill.sweeps.store import scenarios_with


def prepare(config: Config, root: Path, fresh: bool) -> None:
    """A run directory in which every task can begin, for those who submit the stages themselves."""
    run = RunDir(root)
    run.create()
    with run.lock():
        begin(run, config, fresh)


def begin(run: RunDir, config: Config, fresh: bool, stages: Mapping[str, Stage] = STAGES) -> None:
    """Record configuration, scenarios and manifest. The caller holds the run's lock.

    `BadInput` if results of another configuration are there, unless `fresh`: then just those are deleted. Also if the
    folder is for other stages than these.
    """
    scenarios = build_scenarios(config.scenarios, config.seed)
    foreign = recorded_stages(run) - stages.keys()
    if foreign:
        raise BadInput(
            f"{run.root} holds {', '.join(sorted(foreign))} and is no place for {', '.join(stages)}. "
            "Choose another folder with --out."
        )
    if config.sweep.imported is not None:
        scenarios = scenarios_with(run, scenarios)
    _reconcile(run, config, fresh, stages)
    run.write_config(config)
    run.write_scenarios(scenarios)
    run.write_manifest(_manifest(config, stages))


def changed_tasks(run: RunDir, config: Config, stages: Mapping[str, Stage] = STAGES) -> dict[str, list[str]]:
    """Tasks that were begun with other settings than the current ones, by stage."""
    found: dict[str, list[str]] = {}
    fingerprint = Fingerprints(config)
    for stage in stages.values():
        for task in stage.tasks(config):
            claim = run.claim(stage.name, task)
            if claim is not None and claim.fingerprint != fingerprint(stage, task):
                found.setdefault(stage.name, []).append(task)
    return found


def say_retries(ledger: Ledger, stages: Iterable[Stage], say: Callable[[str], None]) -> None:
    """Say which finished tasks of these stages are done again for their technical errors, if there are any."""
    errors = {stage.name: found for stage in stages if (found := ledger.errors_to_retry(stage))}
    if errors:
        told = ", ".join(f"{name} {found}" for name, found in errors.items())
        say(f"{sum(errors.values())} technical error(s) of finished tasks are tried again ({told}); "
            "what is made of them is made anew if that changes them.")  # fmt: skip


def differences(run: RunDir, config: Config, stages: Mapping[str, Stage] = STAGES) -> list[str]:
    """What the recorded configuration and the current one say differently, readable: `key: old → new`."""
    lines = set()
    for name, recorded in run.manifest().get("stages", {}).items():
        old, new = recorded["ingredients"], json.loads(json.dumps(ingredients(stages[name], config)))
        lines |= _differing("", old, new)
        for task in stages[name].tasks(config):
            own = json.loads(json.dumps(own_ingredients(stages[name], config, task)))
            lines |= _differing(f"{name} {task}, ", recorded.get("own", {}).get(task, {}), own)
    return sorted(lines)


def _differing(of: str, old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    return {f"{of}{key}: {old.get(key)!r} → {new.get(key)!r}" for key in {*old, *new} if old.get(key) != new.get(key)}


def _reconcile(run: RunDir, config: Config, fresh: bool, stages: Mapping[str, Stage]) -> None:
    changed = changed_tasks(run, config, stages)
    if changed and not fresh:
        raise BadInput(
            f"{run.root} holds results of another configuration: {'; '.join(differences(run, config, stages))}. "
            f"Stages affected: {', '.join(changed)}. "
            "Give --fresh to delete just those results and do them again, or --out to use another folder."
        )
    for name in reversed(changed):
        for task in changed[name]:
            run.clear(name, task)


def _manifest(config: Config, stages: Mapping[str, Stage]) -> dict[str, Any]:
    described = {
        stage.name: {
            "tasks": list(stage.tasks(config)),
            "ingredients": ingredients(stage, config),
            "own": {task: own for task in stage.tasks(config) if (own := own_ingredients(stage, config, task))},
        }
        for stage in stages.values()
    }
    return {"name": config.name, "seed": config.seed, "code": code_version(), "stages": described}


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
