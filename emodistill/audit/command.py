"""`emodistill audit`: play every emotion against the configuration's counterparty, and say how far each moves it."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from emodistill import running
from emodistill.errors import BadInput


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    added = command("audit", _audit, "how far the counterparty's model can be moved by the emotion that is shown to it")
    running.add_config(added, "audit directory (default: results/NAME-audit)")
    added.add_argument("--seeds", type=int, metavar="N", help="the same as --set evaluate.seeds=N")
    added.add_argument("--json", action="store_true", help="machine-readable")
    running.add_again(added)


def _audit(options: argparse.Namespace) -> None:
    from emodistill.audit.findings import as_data, findings
    from emodistill.audit.stage import STAGES
    from emodistill.cluster.drive import drive
    from emodistill.cluster.profiles import load_profile
    from emodistill.config import with_absolute_paths
    from emodistill.configfile import load_config

    seeds = [] if options.seeds is None else [f"evaluate.seeds={options.seeds}"]
    config = with_absolute_paths(load_config(options.config, (*options.overrides, *seeds)))
    root = options.out or Path("results") / f"{config.name}-audit"
    profile = load_profile(options.profile)
    if profile.cluster == "slurm":
        if options.json:
            raise BadInput(
                "--json prints what was found, and jobs of Slurm have yet to find it. Leave it out; when they have "
                "ended, give the command again with --json and without --profile."
            )
        running.submit(config, root, profile, options.fresh, None, options.allow_code_change, STAGES)
        return
    running.check_stages(config, profile, STAGES, None)
    run = drive(config, root.absolute(), profile, options.fresh, None, running.say, STAGES)
    if options.json:
        print(json.dumps(as_data(findings(run, config)), indent=2))
    else:
        print(run.path("tables", "audit.md").read_text(encoding="utf-8"), end="\n")
    running.say(f"Written to {root}: tables/audit.csv, tables/audit.md, audit.md, figures/audit.svg, figures/audit.png")
