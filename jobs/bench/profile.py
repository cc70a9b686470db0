"""Where the time of each stage goes: yaml/demo.yaml with few dialogues and variants, each stage sampled on real parts.

Each stage is a process, as in any run. A thread of it looks at the main thread's Python stack a hundred times a second
and puts the moment to one name: the innermost function of ours, and the package it had called. Native code counts for
the Python line that called it; loading packages counts as `import`. A measure without a target.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import emodistill
from emodistill.cluster.begin import prepare
from emodistill.configfile import load_config
from emodistill.execute import run_tasks
from emodistill.runs import RunDir
from emodistill.stages import STAGES
from jobs.bench import Measured

_PERIOD_S, _SHOWN = 0.01, 8
_HOUSE = f"{Path(emodistill.__file__).parent}/"
_CONFIG = Path(__file__).parents[2] / "yaml" / "demo.yaml"
_SETS = (
    "scenarios.train=40", "scenarios.held_out=4", "sweep.rollouts=50", "iql.steps=200", "sft.max_dialogues=8",
    "jpo.max_dialogues=4", "evaluate.seeds=1", "evaluate.variants=[vanilla-slm, full]",
)  # fmt: skip


def run() -> Measured:
    """Seconds of each stage, and the shares of what it did most."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "run"
        prepare(load_config(_CONFIG, _SETS), root, fresh=False)
        return Measured({stage: _watched(stage, root) for stage in STAGES}, {}, {})


def _watched(stage: str, root: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "jobs.bench.profile", stage, str(root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seen: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seen


class Sampler(threading.Thread):
    """Counts what the thread that made it is doing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._watched, self._ended = threading.get_ident(), threading.Event()
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        """Look until `end`."""
        while not self._ended.wait(_PERIOD_S):
            self.seen[named(sys._current_frames()[self._watched])] += 1

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()


def named(innermost: FrameType | None) -> str:
    """`file.py function > package` of a stack: our innermost function and the package it is in now."""
    frame, package = innermost, ""
    while frame is not None:
        path = frame.f_code.co_filename
        if "importlib" in path:
            return "import"
        if path.startswith(_HOUSE):
            return f"{path.removeprefix(_HOUSE)} {frame.f_code.co_name}" + (f" > {package}" if package else "")
        package = path.partition("site-packages/")[2].partition("/")[0] or package
        frame = frame.f_back
    return package or "start and end"


def main() -> None:
    """Run all tasks of one stage in this process and print its seconds and shares."""
    stage, root = sys.argv[1:]
    sampler, started = Sampler(), time.perf_counter()
    sampler.start()
    outcome = run_tasks(root, stage, STAGES[stage].tasks(RunDir.existing(Path(root)).config()))
    sampler.end()
    if outcome.kind != "done":
        sys.exit(outcome.message)
    most = sampler.seen.most_common(_SHOWN)
    shares = {name: round(count / sampler.seen.total(), 3) for name, count in most}
    print(json.dumps({"seconds": round(time.perf_counter() - started, 1), **shares}))


if __name__ == "__main__":
    main()
