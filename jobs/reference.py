"""Keep what a finished run shows, as `make reference` does with the demo: tables, figures, page, configuration, README.

Everything in the folder but NOTES.md, which people write, is made anew. A run that is not complete or not as it was
written is refused, and so is a file that names a folder of this machine.
"""

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path

from emodistill.config import Config, Scripted
from emodistill.errors import BadInput, RunFailed
from emodistill.ledger import Ledger
from emodistill.report.names import model_label
from emodistill.report.provenance import packages_sheet
from emodistill.runs import RunDir
from emodistill.stages import STAGES
from emodistill.verify import verify

PAGE_BYTES = 3_000_000  # a larger report.html is left out
NOTES = "NOTES.md"
_SHOWN = ("tables/*.csv", "tables/*.md", "tables/*.tex", "figures/*.svg", "figures/*.png")
_ROLES = ("teacher", "counterparty", "judge", "student")


def keep(run: RunDir, folder: Path, command: str) -> list[Path]:
    """Fill the folder; what is in it now. `BadInput` or `RunFailed` before anything is touched."""
    config = run.config()
    ledger = Ledger(run, config)
    open_ = [name for name, s in STAGES.items() if not all(ledger.is_done(s, task) for task in s.tasks(config))]
    if open_:
        raise BadInput(f"{run.root} is not finished: {', '.join(open_)}. Run it to its end first: {command}.")
    damaged = verify(run)
    if damaged:
        raise RunFailed(f"{damaged[0]}. Mend {run.root} first: emodistill verify --repair, and its own command.")
    chosen = [run.path("config.yaml"), *(path for shown in _SHOWN for path in sorted(run.root.glob(shown)))]
    page = run.path("report.html")
    chosen += [page] if page.stat().st_size < PAGE_BYTES else []
    for path in chosen:
        if path.suffix != ".png":
            _refuse_paths(path)
    text = readme(run, config, ledger, command, page)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name != NOTES:
            old.unlink()
    for path in chosen:
        shutil.copyfile(path, folder / path.name)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


def readme(run: RunDir, config: Config, ledger: Ledger, command: str, page: Path) -> str:
    """What made the results, with which versions, on what machine, and how long each stage's tasks took."""
    specs = {role: getattr(config.models, role) for role in _ROLES}
    simulated = [role for role, spec in specs.items() if isinstance(spec, Scripted)]
    real = [f"{role} {model_label(spec)}" for role, spec in specs.items() if role not in simulated]
    size = page.stat().st_size
    more = [] if size < PAGE_BYTES else [f"`report.html` has {size / 1e6:.1f} MB and is not kept here.", ""]
    seconds = {name: [(m.rows, m.seconds) for task in s.tasks(config) if (m := ledger.marker(s, task))]
               for name, s in STAGES.items()}  # fmt: skip
    rows = [f"| {name} | {len(done)} | {sum(r for r, _ in done):,} | {sum(s for _, s in done):,.1f} |"
            for name, done in seconds.items()]  # fmt: skip
    return "\n".join([
        f"# Results of {config.name}", "",
        f"Made by `{command}` with emodistill {run.manifest().get('code', 'of a version not recorded')}, and kept by "
        f"`python -m jobs.reference` on a machine with {os.cpu_count()} CPU core(s){_cpu()}. `config.yaml` is the "
        "complete configuration.", "",
        f"Simulated: {', '.join(simulated) or 'nothing'}. Models: {', '.join(real) or 'none'}.", "",
        *more,
        "| stage | tasks | rows | seconds, all tasks |", "|---|---|---|---|", *rows, "",
        f"Versions: {', '.join(f'{name} {version}' for name, version in packages_sheet().rows)}.", "",
        f"What people have to say of it: [{NOTES}]({NOTES}), if there is one.", "",
    ])  # fmt: skip


def _cpu() -> str:
    """The processor's name, where the kernel tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f" ({named[0]})" if named else f" ({platform.machine()})"


def _refuse_paths(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for private in (f"{Path.home()}/", f"{Path.cwd()}/"):
        if private in text:
            raise BadInput(f"{path} names {private}, a folder of this machine, and is not to be kept in public.")


def main() -> int:
    """Parse and keep."""
    parser = argparse.ArgumentParser(prog="python -m jobs.reference", description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("folder", type=Path, help="where to keep it; all in it but NOTES.md is made anew")
    parser.add_argument("--command", required=True, help="what made the run, for the README")
    options = parser.parse_args()
    try:
        kept = keep(RunDir.existing(options.run), options.folder, options.command)
    except (BadInput, RunFailed) as error:
        print(f"jobs.reference: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{options.folder}: {', '.join(path.name for path in kept)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
