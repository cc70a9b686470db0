"""The small tools, which need no run: simulator, scenarios, offer."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from emodistill.errors import BadInput, shown


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands to a parser; `command(name, function, text)` makes one."""
    _add_simulator(command("simulator", None, "the simulator's known truth: the oracle's value, and what is heard"))
    scenarios = command("scenarios", _scenarios, "what a scenario CSV gives: import recovers its rows and shows them")
    scenarios.add_argument("action", choices=("import",))
    scenarios.add_argument("file", type=Path, help="a CSV with a published header")
    scenarios.add_argument("--domain", help="refuse a file of another domain (default: the header tells)")
    scenarios.add_argument("--json", action="store_true", help="machine-readable, with all facts")
    scenarios.add_argument("--skip-bad", action="store_true", help="leave out rows that cannot be recovered")
    offer = command("offer", _offer, "the number that an utterance offers, or none")
    offer.add_argument("--domain", default="crad", help="whose unit to print (default: crad, days)")
    offer.add_argument("--seat", choices=("focal", "counterparty"), help="who speaks: the text may begin with its role")
    offer.add_argument("--json", action="store_true", help="offer, accepts and walks")
    offer.add_argument("text")


def _add_simulator(simulator: argparse.ArgumentParser) -> None:
    asked = simulator.add_subparsers(required=True, metavar="WHAT")
    oracle = asked.add_parser("oracle", help="exact expected returns on held-out scenarios, and their check by play")
    oracle.set_defaults(command=_simulator_oracle)
    oracle.add_argument("--domain", default="crad", help="default: crad")
    oracle.add_argument("--max-messages", type=int, default=30, metavar="N", help="of a negotiation (default: 30)")
    oracle.add_argument("--persona", default="vanilla", help="of the counterparty (default: vanilla)")
    oracle.add_argument("--episodes", type=int, default=4000, metavar="N", help="that check a policy (default: 4000)")
    hearing = asked.add_parser("hearing", help="confusion matrix of the heard emotions on the teacher's utterances")
    hearing.set_defaults(command=_simulator_hearing)
    for added in (oracle, hearing):
        added.add_argument("--seed", type=int, default=7, help="of scenarios and episodes (default: 7)")
        added.add_argument("--json", action="store_true", help="machine-readable")


def _simulator_oracle(options: argparse.Namespace) -> None:
    from emodistill.domains.base import PERSONAS
    from emodistill.records import Rules
    from emodistill.simulator.measure import measure_oracle, render_oracle

    if options.persona not in PERSONAS:
        raise BadInput(f"--persona {shown(options.persona)}: there is no such persona. Known: {', '.join(PERSONAS)}.")
    if options.max_messages < 2 or options.episodes < 2:
        raise BadInput("--max-messages and --episodes: give whole numbers from 2 upwards.")
    rules = Rules(max_messages=options.max_messages)
    found = measure_oracle(options.domain, rules, options.persona, options.episodes, options.seed)
    print(json.dumps(found) if options.json else render_oracle(found))


def _simulator_hearing(options: argparse.Namespace) -> None:
    from emodistill.simulator.measure import measure_hearing, render_hearing

    found = measure_hearing(options.seed)
    print(json.dumps(found) if options.json else render_hearing(found))


def _scenarios(options: argparse.Namespace) -> None:
    from emodistill.domains import DOMAINS, domain_named
    from emodistill.domains.importer import import_file
    from emodistill.domains.listing import render, summary

    key = None if options.domain is None else domain_named(options.domain).key
    found = import_file(options.file, DOMAINS.values(), key, options.skip_bad)
    print(json.dumps(summary(found), indent=2, ensure_ascii=False) if options.json else render(found))


def _offer(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from emodistill.domains import domain_named
    from emodistill.rollout.offers import read

    domain = domain_named(options.domain)
    found = read(options.text, domain.quantity, domain.role(options.seat) if options.seat else "")
    if options.json:
        print(json.dumps(asdict(found)))
    else:
        print("none" if found.offer is None else f"{found.offer:g}")
