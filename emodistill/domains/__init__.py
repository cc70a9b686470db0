"""The registry of domains, and the scenarios of a run."""

import hashlib
from pathlib import Path

from emodistill.config import Scenarios
from emodistill.domains import crad, disaster, hospital, student
from emodistill.domains.base import Domain, as_scenarios, generate
from emodistill.domains.importer import import_file
from emodistill.errors import BadInput
from emodistill.records import Scenario
from emodistill.seeds import seed_of

DOMAINS: dict[str, Domain] = {
    domain.key: domain for domain in (crad.DOMAIN, disaster.DOMAIN, hospital.DOMAIN, student.DOMAIN)
}


def domain_named(key: str) -> Domain:
    """The domain of that key; `BadInput` lists those that exist."""
    if key not in DOMAINS:
        raise BadInput(f"There is no domain {key!r}. Known: {', '.join(DOMAINS)}.")
    return DOMAINS[key]


def build_scenarios(settings: Scenarios, seed: int) -> tuple[Scenario, ...]:
    """All scenarios of a run, training split before held-out split in each domain."""
    made: list[Scenario] = []
    for key in settings.domains:
        domain, count = domain_named(key), settings.train + settings.held_out
        if key in settings.csv:
            drawn = list(import_file(Path(settings.csv[key]), DOMAINS.values(), key, settings.skip_bad).drawn)
            if len(drawn) < count:
                raise BadInput(
                    f"{settings.csv[key]}: {len(drawn)} scenarios where "
                    f"scenarios.train + scenarios.held_out ask for {count}. "
                    "Lower those two, or give a longer file."
                )
        else:
            drawn = generate(domain, count, seed_of(seed, "scenarios", key))
        made.extend(as_scenarios(domain, drawn, settings.train, settings.held_out))
    return tuple(made)


def sources(settings: Scenarios) -> dict[str, str]:
    """Where each domain's scenarios come from: a checksum of its CSV, or of what the built-in generator draws.

    Part of the fingerprint.
    """
    found = {}
    for key in settings.domains:
        path = settings.csv.get(key)
        if path is not None and not Path(path).is_file():
            raise BadInput(f"There is no scenario file {path}. Name an existing CSV under scenarios.csv.{key}.")
        content = repr(generate(domain_named(key), 3, seed=0)).encode() if path is None else Path(path).read_bytes()
        found[key] = f"{'builtin' if path is None else 'csv'} sha256 {hashlib.sha256(content).hexdigest()[:16]}"
    return found
