"""`emodistill audit`: play every emotion against the configuration's counterparty, and say how far each moves it."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emodistill.audit.findings import Findings
    from emodistill.runs import RunDir


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    added = command("audit", _audit, "how far the counterparty's model can be moved by the emotion that is shown to it")
    added.add_argument("config", type=Path, help="YAML file, see yaml/")
    added.add_argument("--set", dest="overrides", action="append", default=[], metavar="a.b=VALUE", help="as for run")
    added.add_argument("--out", type=Path, help="audit directory (default: results/NAME-audit)")
    added.add_argument("--seeds", type=int, metavar="N", help="the same as --set evaluate.seeds=N")
    added.add_argument("--fresh", action="store_true", help="redo what was played with another configuration")
    added.add_argument("--json", action="store_true", help="machine-readable")


def _audit(options: argparse.Namespace) -> None:
    from emodistill.audit.findings import as_data, findings
    from emodistill.audit.stage import AUDIT, STAGES
    from emodistill.audit.tables import audit_markdown
    from emodistill.cluster.drive import drive
    from emodistill.cluster.plan import check
    from emodistill.cluster.profiles import Profile
    from emodistill.config import with_absolute_paths
    from emodistill.configfile import load_config

    seeds = [] if options.seeds is None else [f"evaluate.seeds={options.seeds}"]
    config = with_absolute_paths(load_config(options.config, (*options.overrides, *seeds)))
    check(config, (AUDIT.name,))
    root = options.out or Path("results") / f"{config.name}-audit"
    # One process for all emotions: the engine is loaded once.
    here = Profile(cluster="local", stages={AUDIT.name: {"bundle": len(AUDIT.tasks(config))}})
    run = drive(config, root.absolute(), here, options.fresh, None, _say, STAGES)
    found = findings(run, config)
    written = write(run, found)
    print(json.dumps(as_data(found), indent=2) if options.json else audit_markdown(found), end="\n")
    _say(f"Written to {root}: {', '.join(str(path.relative_to(run.root)) for path in written)}")


def write(run: "RunDir", found: "Findings") -> list[Path]:
    """Table, figure and model card of the findings; where each is."""
    from emodistill import files
    from emodistill.audit.card import model_card
    from emodistill.audit.figure import shift_figure
    from emodistill.audit.tables import audit_csv, audit_markdown

    texts = {
        run.path("tables", "audit.csv"): audit_csv(found),
        run.path("tables", "audit.md"): audit_markdown(found),
        run.path("audit.md"): model_card(found),
    }
    for path, text in texts.items():
        files.write_text(path, text)
    figures = [run.path("figures", f"audit.{kind}") for kind in ("svg", "png")]
    shift_figure(found, figures)
    return [*texts, *figures]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
