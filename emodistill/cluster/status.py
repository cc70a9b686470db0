"""What a run has done, from its markers alone."""

import json
from typing import Any

from emodistill.config import Config
from emodistill.ledger import Ledger
from emodistill.runs import RunDir
from emodistill.stages import STAGES, Stage


def summary(run: RunDir) -> dict[str, Any]:
    """Per stage what is done and what it took; and whether all is complete.

    A stage: tasks planned, done and started, rows, technical errors, seconds and usage.
    """
    config = run.config()
    ledger = Ledger(run, config)
    stages = {name: _stage(run, config, stage, ledger) for name, stage in STAGES.items()}
    return {
        "run": config.name,
        "dir": str(run.root),
        "complete": all(s["done"] == s["planned"] for s in stages.values()),
        "stages": stages,
    }


def _stage(run: RunDir, config: Config, stage: Stage, ledger: Ledger) -> dict[str, Any]:
    tasks = stage.tasks(config)
    done = {task for task in tasks if ledger.is_done(stage, task)}
    markers = [marker for task in tasks if task in done and (marker := ledger.marker(stage, task)) is not None]
    usage: dict[str, float] = {}
    for marker in markers:
        for name, value in marker.usage.items():
            usage[name] = usage.get(name, 0.0) + value
    started = {
        task: _progress(run, stage.name, task)
        for task in tasks
        if task not in done and run.claim_path(stage.name, task).exists()
    }
    return {
        "planned": len(tasks), "done": len(done), "started": started, "rows": sum(m.rows for m in markers),
        "errors": sum(m.errors for m in markers), "seconds": round(sum(m.seconds for m in markers), 1), "usage": usage,
    }  # fmt: skip


def _progress(run: RunDir, stage: str, task: str) -> str:
    try:
        done, total = json.loads(run.path(stage, f"{task}.progress").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "started"
    return f"{done}/{total}"


def render(found: dict[str, Any]) -> str:
    """The summary as a table."""
    lines = [f"{found['run']} in {found['dir']}: {'complete' if found['complete'] else 'incomplete'}", ""]
    lines.append(f"{'stage':<10}{'done':>9}{'rows':>10}{'errors':>8}{'seconds':>10}  notes")
    for name, s in found["stages"].items():
        notes = [f"{task} {progress}" for task, progress in list(s["started"].items())[:4]]
        notes += [f"{key} {value:,.{4 if key == 'usd' else 0}f}" for key, value in s["usage"].items() if value]
        lines.append(
            (
                f"{name:<10}{str(s['done']) + '/' + str(s['planned']):>9}{s['rows']:>10}"
                f"{s['errors']:>8}{s['seconds']:>10}  {', '.join(notes)}"
            ).rstrip()
        )
    return "\n".join(lines)
