"""`python -m jobs.chaos --config yaml/smoke.yaml --kills N --seed S --json`: nothing lost, doubled or changed?

Plays the configuration once in peace, then again and again as real processes of which a random one is killed,
terminated, or stopped and continued at random instants, and of each stage at least once; some of the kills are aimed
at an fsync or a rename. The last line is one JSON object. Exit code 0: equal runs; 1: a difference, a run that could
not go on, or a traceback.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.chaos import processes
from jobs.chaos.compare import Difference, difference
from jobs.chaos.processes import Strike

_HOOK = Path(__file__).parent / "hook"
_PROFILE = "cluster: local\ndefault: {{parallel: {workers}}}\nstages: {{evaluate: {{bundle: 64}}}}\n"
_RATE = 0.004  # of an fsync or rename to be the last
_SOON_S = 0.5  # after a stage begins that nobody has struck yet, it is
_QUIET = 6  # beginnings in a row that nobody struck and that came to nothing: the run counts as stuck


@dataclass
class _Tally:
    strikes: list[Strike] = field(default_factory=list)
    runs: int = 0
    drivers: int = 0
    tracebacks: int = 0
    differences: list[Difference] = field(default_factory=list)
    stuck: str = ""

    @property
    def kills(self) -> int:
        """All that was done to processes."""
        return len(self.strikes)


def main() -> int:
    """Run the comparison; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m jobs.chaos", description=__doc__)
    parser.add_argument("--config", default="yaml/smoke.yaml", help="default: yaml/smoke.yaml")
    parser.add_argument("--kills", type=int, default=20, help="at least so many (default: 20)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pause", type=float, default=5.0, metavar="S", help="mean seconds between them (default: 5)")
    parser.add_argument("--peace", type=Path, metavar="DIR", help="its finished run in peace (default: play one)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the run directories in this new folder")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args()
    say = (lambda text: None) if options.json else (lambda text: print(text, file=sys.stderr, flush=True))
    with nullcontext(options.keep) if options.keep else TemporaryDirectory(prefix="emodistill-chaos-") as folder:
        Path(folder).mkdir(exist_ok=not options.keep)
        tally = _chaos(Path(folder), options, random.Random(options.seed), say)
    found = [asdict(d) for d in tally.differences]
    sums = {name: sum(d[name] for d in found) for name in ("lost", "duplicated", "changed")}
    equal = {name: all(d[name] for d in found) and bool(found) for name in ("curves_equal", "tables_equal")}
    others = {"runs": tally.runs, "drivers": tally.drivers, "tracebacks": tally.tracebacks, "stuck": tally.stuck}
    struck = {name: dict(Counter(getattr(s, name) for s in tally.strikes)) for name in ("how", "stage")}
    print(json.dumps({"kills": tally.kills, **sums, **equal, **others, **struck}))
    return 0 if found and all(d.none() for d in tally.differences) and not tally.tracebacks and not tally.stuck else 1


def _chaos(folder: Path, options: argparse.Namespace, rng: random.Random, say: Callable[[str], None]) -> _Tally:
    tally, peace = _Tally(), options.peace or folder / "peace"
    if not options.peace:
        _driver(peace, options.config, folder, workers=2).wait()
    if not (peace / "tables").is_dir():
        tally.stuck = "the undisturbed run did not end"
        return tally
    while tally.kills < options.kills and not tally.stuck:
        run = folder / f"struck-{tally.runs}"
        _struck_run(run, folder / f"chaos-{tally.runs}", options, rng, tally)
        if not tally.stuck:
            tally.runs += 1
            tally.differences.append(difference(peace, run))
        say(f"{tally.runs} run(s), {tally.kills} kills, {tally.drivers} beginnings: {tally.differences[-1:]}")
    return tally


def _struck_run(run: Path, folder: Path, options: argparse.Namespace, rng: random.Random, tally: _Tally) -> None:
    """One run directory, begun again until it is complete."""
    folder.mkdir()
    before, quiet = tally.strikes, 0
    ours: list[Strike] = []  # of this run, without those of the hook
    while quiet < _QUIET:
        done_before, kills_before = _finished(run), tally.kills
        (folder / "rate").write_text(str(_RATE)) if tally.kills < options.kills else (folder / "rate").unlink(True)
        driver = _driver(run, options.config, folder, workers=rng.randint(1, 4), mark=folder)
        tally.drivers += 1
        while driver.poll() is None:
            stage = _wait(driver, run, tally.strikes, rng, options.pause)
            tally.strikes = before + ours + _aimed(folder)
            if (stage or tally.kills < options.kills) and (strike := processes.strike(folder, rng, stage)):
                ours.append(strike)
        said = (folder / "said").read_text(errors="replace")
        tally.strikes = before + ours + _aimed(folder)
        tally.tracebacks += "Traceback" in said
        if driver.returncode == 0:
            processes.end(folder)
            return
        if rng.random() < 0.5:
            processes.end(folder)  # or what is left of it meets the next driver
        in_peace = tally.kills == kills_before
        quiet = quiet + in_peace if _finished(run) == done_before else 0
    tally.stuck = said[-2000:]


def _wait(
    driver: "subprocess.Popen[bytes]", run: Path, strikes: list[Strike], rng: random.Random, pause: float
) -> str | None:
    """Until the next instant to strike, at random; sooner in a stage that nobody has struck yet: that one."""
    struck = {strike.stage for strike in strikes}
    moment = time.monotonic() + rng.expovariate(1 / pause)
    while driver.poll() is None and time.monotonic() < moment:
        time.sleep(0.05)
        if (stage := _latest(run)) and stage not in struck:
            time.sleep(rng.uniform(0, _SOON_S))
            return stage
    return None


def _latest(run: Path) -> str:
    """The stage that has begun last; empty if none has."""
    return max((path.name for path in run.glob("submissions/*")), default="").rpartition("-")[2]


def _driver(run: Path, config: str, folder: Path, workers: int, mark: Path | None = None) -> "subprocess.Popen[bytes]":
    profile = folder / f"profile-{workers}.yaml"
    profile.write_text(_PROFILE.format(workers=workers))
    environment = dict(os.environ)
    if mark is not None:
        path = os.pathsep.join(filter(None, (str(_HOOK), environment.get("PYTHONPATH"))))
        environment |= {processes.VARIABLE: str(mark), "PYTHONPATH": path}
    command = [sys.executable, "-m", "emodistill", "run", config, "--out", str(run), "--profile", str(profile)]
    with (folder / "said").open("w") as said:
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)


def _aimed(folder: Path) -> list[Strike]:
    """Kills by the hook, each at the beginning or end of a call."""
    path = folder / "strikes"
    return [Strike(*line.split("\t")) for line in path.read_text().splitlines()] if path.exists() else []


def _finished(run: Path) -> int:
    return len(list(run.rglob("*.done"))) + sum(1 for _ in run.rglob("step-*")) + len(list(run.rglob("*.part-*")))


if __name__ == "__main__":
    sys.exit(main())
