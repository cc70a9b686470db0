"""50,000 scripted episodes in one process that `python -m jobs.rollout` starts: does it need more and more?

100 shards of 500 episodes, from all four domains, each played, written, synced, compacted and marked as in any run. The
process is looked at from outside, in /proc, whenever a marker has come: resident memory, open files, and CPU seconds,
which other work on the machine distorts less than time does. The first fifth of the shards is warm-up: caches fill.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from emodistill.configfile import load_config
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.runs import RunDir
from jobs.bench import Measured

SHARDS, SHARD = 100, 500
_CONFIG = Path(__file__).parents[2] / "yaml" / "smoke.yaml"
_MOST_MB, _LEAST_SPEED = 1.0, 0.9  # memory that 10,000 episodes may add; the last third's speed, in that of the first


@dataclass(frozen=True, slots=True)
class Seen:
    """The process when `shards` were done."""

    shards: int
    resident_mb: float
    files: int
    cpu_s: float


def run() -> Measured:
    """Play them all, then judge memory, files and speed."""
    with TemporaryDirectory() as folder:
        began = begin(Path(folder) / "run")
        started = time.perf_counter()
        seen = haul(began)
        whole_s = time.perf_counter() - started
    return measure(seen, whole_s)


def begin(root: Path) -> RunDir:
    """A run directory whose sweep has those shards."""
    sets = {
        "scenarios.domains": list(DOMAINS), "scenarios.train": 25, "negotiation.max_messages": 12,
        "sweep.rollouts": SHARDS * SHARD // (25 * len(DOMAINS)), "sweep.shard_episodes": SHARD,
    }  # fmt: skip
    run, config = RunDir(root), load_config(_CONFIG, tuple(f"{key}={value}" for key, value in sets.items()))
    root.mkdir()
    run.write_config(config)
    run.write_scenarios(build_scenarios(config.scenarios, config.seed))
    run.write_manifest({"name": config.name})
    return run


def haul(run: RunDir) -> list[Seen]:
    """The process at the end of each shard that was noticed in time."""
    command = [sys.executable, "-m", "jobs.rollout", "--run", str(run.root)]
    seen: list[Seen] = []
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            done = len(list(run.path("rollout").glob("*.done")))
            if done > (seen[-1].shards if seen else 0):
                try:
                    seen.append(_look(process.pid, done))
                except OSError:  # it has ended
                    break
            time.sleep(0.01)
    done = len(list(run.path("rollout").glob("*.done")))
    if process.returncode or done != SHARDS:
        raise RuntimeError(f"{done} of {SHARDS} shards were done, exit code {process.returncode}")
    return seen


def _look(pid: int, shards: int) -> Seen:
    proc = Path("/proc") / str(pid)
    lines = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    ticks = (proc / "stat").read_text().rpartition(") ")[2].split()[11:13]  # user and system, 100 a second
    files = len(list((proc / "fd").iterdir()))
    return Seen(shards, int(lines["VmRSS"].split()[0]) / 1024, files, sum(map(int, ticks)) / 100)


def measure(seen: list[Seen], whole_s: float) -> Measured:
    """Memory's slope by least squares, files and speed: the last third beside the first."""
    warm = [look for look in seen if look.shards > SHARDS / 5]
    third = len(warm) // 3
    played = [look.shards * SHARD for look in warm]
    slope = float(np.polyfit(np.array(played) / 10_000, [look.resident_mb for look in warm], 1)[0])
    first, last = warm[: third + 1], warm[-third - 1 :]
    rates = [(part[-1].shards - part[0].shards) * SHARD / (part[-1].cpu_s - part[0].cpu_s) for part in (first, last)]
    files = [max(look.files for look in part) for part in (first, last)]
    figures = {
        "episodes": SHARDS * SHARD, "seconds": round(whole_s, 1), "episodes a second": round(SHARDS * SHARD / whole_s),
        "resident MB, first third": round(median(look.resident_mb for look in first), 1),
        "resident MB, last third": round(median(look.resident_mb for look in last), 1),
        "resident MB added by 10,000 episodes": round(slope, 3),
        "open files, first third": files[0], "open files, last third": files[1],
        "episodes a CPU second, first third": round(rates[0]), "episodes a CPU second, last third": round(rates[1]),
    }  # fmt: skip
    target = {
        "memory": f"less than {_MOST_MB:g} MB added by 10,000 episodes",
        "files": "no more open files in the last third than in the first",
        "speed": f"episodes a CPU second of the last third at least {_LEAST_SPEED} of the first's",
    }
    met = {"memory": slope < _MOST_MB, "files": files[1] <= files[0], "speed": rates[1] >= _LEAST_SPEED * rates[0]}
    return Measured(figures, target, met)
