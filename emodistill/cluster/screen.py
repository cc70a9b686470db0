"""The status of a run for people: as a table, once or again and again."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from emodistill.cluster.status import summary
from emodistill.ledger import MAX_TRIES
from emodistill.plain import duration, number, table
from emodistill.runs import RunDir

_HEADER = (
    "stage", "done", "running", "pending", "failed", "requeued", "rows", "errors", "rows/s", "time", "ETA", "tokens",
    "GPU-h", "notes",
)  # fmt: skip
_ALWAYS = ("stage", "done", "rows", "errors")
_UNTIL_COMPLETE = ("running", "pending", "ETA")
_TOKENS = ("prompt_tokens", "generated_tokens")
_SHOWN, _TAIL = 8, 5  # kinds of trouble; lines of the log of a task that was given up


def render(found: dict[str, Any]) -> str:
    """The summary as a table, what is in trouble, and what to do next."""
    tasks = [sum(s[key] for s in found["stages"].values()) for key in ("done", "planned")]
    state = "complete" if found["complete"] else f"{tasks[0]} of {tasks[1]} tasks done"
    lines = [f"{found['run']} in {found['dir']}: {state}", ""]
    keep = _ALWAYS if found["complete"] else _ALWAYS + _UNTIL_COMPLETE
    lines += table(_HEADER, [_row(name, s) for name, s in found["stages"].items()], ("stage", "notes"), keep)
    return "\n".join([*lines, *_errors(found), *_trouble(found), *_last_lines(found)])


def _errors(found: dict[str, Any]) -> list[str]:
    """What becomes of the technical errors that finished tasks hold."""
    again = sum(s["errors_to_retry"] for s in found["stages"].values())
    if not again:
        return []
    return ["", f"{again} technical error(s) of finished tasks: the next run tries them again ({MAX_TRIES} times in "
            "all), and makes anew what is made of them if that changes them."]  # fmt: skip


def _trouble(found: dict[str, Any]) -> list[str]:
    """What went wrong, tasks of a stage with the same words together, and the log of the first of them."""
    alike: dict[tuple[str, str], list[dict[str, str]]] = {}
    for one in found["trouble"]:
        alike.setdefault((one["stage"], one["what"]), []).append(one)
    lines = [""] if alike else []
    for (stage, what), some in list(alike.items())[:_SHOWN]:
        more = f" and {len(some) - 1} more" if len(some) > 1 else ""
        lines.append(f"{stage} {some[0]['task']}{more}: {what}"[:400])
        lines += [f"    | {line}"[:200] for line in some[0]["tail"].splitlines()[-_TAIL:]]
        lines += [f"    log: {found['dir']}/{some[0]['log']}"] if some[0]["log"] else []
    if len(found["trouble"]) > 1:
        lines.append(f"All their logs: emodistill logs {found['dir']} --failed")
    return lines


def _row(name: str, s: dict[str, Any]) -> list[str]:
    usage = s["usage"]
    notes = [f"{s[state]} {state}" for state in ("finishing", "cancelled") if s[state]]
    notes += [f"{task} {progress}" for task, progress in list(s["started"].items())[:4]]
    notes += [
        f"{key} {value:,.{4 if key == 'usd' else 0}f}"
        for key, value in usage.items()
        if value and key not in (*_TOKENS, "cached_tokens")
    ]
    counts = [str(s[key] or "") for key in ("running", "pending", "failed", "requeued")]
    tokens = sum(usage.get(key, 0.0) for key in _TOKENS)
    return [
        name, f"{s['done']}/{s['planned']}", *counts, f"{s['rows']:,}", str(s["errors"]), number(s["rows_per_s"]),
        duration(s["seconds"] or None), duration(s["eta_s"]), number(tokens or None), number(s["gpu_hours"]),
        ", ".join(notes),
    ]  # fmt: skip


def _last_lines(found: dict[str, Any]) -> list[str]:
    slurm = found["slurm"]
    if not slurm["launched"]:
        return []
    lines = []
    if slurm["source"] != "sacct":
        how = (
            "Without accounting, from the queue"
            if slurm["source"]
            else "Slurm was not asked"
            if slurm["hopeless"]
            else "Slurm gave no answer"
        )
        lines += ["", f"{how} and the files alone: {slurm['why'][:300]}".rstrip(".") + "."]
    if not found["complete"] and not found["active"]:
        lines += ["", f"Nothing of it runs any more. Go on with: emodistill resume {found['dir']}"]
    return lines


def watch(run: RunDir, show: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:
    """Show the status again and again, until the run is complete or nothing of it runs any more."""
    accounting = True
    for interval in intervals():
        found = summary(run, accounting)
        show(render(found))
        if not found["active"]:
            return
        accounting = found["slurm"]["accounting"]
        sleep(interval)


def intervals() -> Iterator[float]:
    """Seconds between polls: 2 at first, growing to 30, which is what a busy controller can bear."""
    wait = 2.0
    while True:
        yield wait
        wait = min(30.0, wait * 1.3)


def redraw(text: str) -> None:
    """In place of what is on the terminal; to a file or pipe, after it."""
    if sys.stdout.isatty():
        size = shutil.get_terminal_size()
        lines = [line[: size.columns] for line in text.splitlines()[: size.lines - 1]]
        print("\x1b[H\x1b[2J" + "\n".join(lines), flush=True)
    else:
        print(text + "\n", flush=True)
