"""What an import has found, for people and for machines."""

from dataclasses import asdict
from typing import Any

from emodistill.domains.base import as_scenarios
from emodistill.domains.importer import Imported
from emodistill.plain import table
from emodistill.records import Scenario

_WIDEST_FACT = 48  # characters


def summary(found: Imported) -> dict[str, Any]:
    """Counts, remarks and every scenario; ids as in a run that takes all rows."""
    scenarios = _scenarios(found)
    return {
        "domain": found.domain.key,
        "rows": found.rows,
        "recovered": len(scenarios),
        "imputed": sum(scenario.imputed for scenario in scenarios),
        "repaired": [asdict(remark) for remark in found.repaired],
        "skipped": [asdict(remark) for remark in found.skipped],
        "scenarios": [
            {
                "id": scenario.id,
                "focal_target": scenario.focal_target,
                "counterparty_target": scenario.counterparty_target,
                "unit": scenario.unit,
                "facts": dict(scenario.facts),
                "imputed": scenario.imputed,
            }
            for scenario in scenarios
        ],
    }


def render(found: Imported) -> str:
    """A table of the scenarios, then what was repaired or left out, then the count."""
    domain, scenarios = found.domain, _scenarios(found)
    head = ("id", domain.focal_role, domain.counterparty_role, "fact")
    rows = [
        (
            scenario.id,
            domain.quantity.say(scenario.focal_target),
            domain.quantity.say(scenario.counterparty_target) + (" (imputed)" if scenario.imputed else ""),
            _fact(scenario),
        )
        for scenario in scenarios
    ]
    lines = table(head, rows, words=head)
    lines += [f"line {remark.line}, repaired: {remark.reason}" for remark in found.repaired]
    lines += [f"line {remark.line}, left out: {remark.reason}" for remark in found.skipped]
    imputed = sum(scenario.imputed for scenario in scenarios)
    return "\n".join([*lines, f"{len(scenarios)} of {found.rows} rows recovered, {imputed} imputed"])


def _scenarios(found: Imported) -> tuple[Scenario, ...]:
    return as_scenarios(found.domain, found.drawn, len(found.drawn), 0)


def _fact(scenario: Scenario) -> str:
    """The first fact that is more than a number."""
    texts = (
        text for name, _ in scenario.facts if (text := scenario.fact(name)) and not text.replace(".", "").isdigit()
    )
    text = next(texts, "")
    return text if len(text) <= _WIDEST_FACT else text[: _WIDEST_FACT - 1] + "…"
