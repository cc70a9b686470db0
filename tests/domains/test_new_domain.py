"""A fifth domain is one `Domain` and one entry in the registry: nothing else has to know it."""

import random

import pytest

from emodistill.config import Scenarios
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.domains.base import PERSONAS, Domain, Drawn, Speech
from emodistill.domains.briefing import named, system_message
from emodistill.domains.columns import Column
from emodistill.domains.importer import import_file
from emodistill.domains.quantities import Duration
from emodistill.llm.scripted import ScriptedModel
from emodistill.rollout.engine import Task
from emodistill.rollout.prompts import messages

from builders import played

WEEKS = Duration("weeks")


def _generate(rng: random.Random) -> Drawn:
    flat = f"{rng.choice(('Mill', 'Station', 'Garden'))} Street {rng.randint(1, 200)}"
    return Drawn(float(rng.randint(1, 6)), float(rng.randint(20, 60)), (("flat", flat), ("damage", "Broken boiler")))


def _from_row(row: dict[str, str]) -> Drawn:
    facts = (("flat", row["Flat"]), ("damage", row["Damage"]))
    return Drawn(float(row["Landlord weeks"]), float(row["Tenant weeks"]), facts)


def _brief(scenario, seat) -> str:
    target = scenario.focal_target if seat == "focal" else scenario.counterparty_target
    wish = f"You want {WEEKS.say(target)}; {'fewer' if seat == 'focal' else 'more'} is better for you."
    return system_message(
        "You bargain over late rent.", "a number of weeks", seat, named(scenario, "flat,damage"), wish
    )


RENT = Domain(
    key="rent",
    quantity=WEEKS,
    focal_role="landlord",
    counterparty_role="tenant",
    columns=(Column("Flat"), Column("Damage"), Column("Landlord weeks", "number"), Column("Tenant weeks", "number")),
    generate=_generate,
    from_row=_from_row,
    brief=_brief,
    levers=(("flat", "The rent for {flat} is open."),),
    speech=Speech(*[(f"{word} {{offer}}.",) for word in ("Pay in", "Then", "Still", "Give us", "We could do", "Only")]),
    rubric="Reward early rent.",
    personas=tuple((name, "") for name in PERSONAS),
)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(DOMAINS, "rent", RENT)


def test_it_generates_briefs_and_plays():
    made = build_scenarios(Scenarios(domains=("rent",), train=5, held_out=1), seed=1)
    assert made[0].id == "rent-0000" and {s.unit for s in made} == {"weeks"}
    ((_, system), _) = messages(made[0], (), "counterparty", None)
    assert f"You want {made[0].counterparty_target:g} weeks; more" in system and made[0].fact("flat") in system
    tasks = [Task(s.id, s, 0, k) for k, s in enumerate(made)]
    for episode in played(tasks, ScriptedModel(), lambda scenario, turns, rng: "joy"):
        assert episode.status != "error"
        assert "week" in episode.turns[0].utterance and episode.turns[0].reading.offer is not None


def test_its_csv_is_recognised_and_runs(tmp_path):
    path = tmp_path / "rent.csv"
    path.write_text('Flat,Damage,Landlord weeks,Tenant weeks\nMill 3,Boiler, since May,2,30\n"Mill, 4",Roof,3,40\n')
    found = import_file(path, DOMAINS.values())
    assert (found.domain, found.repaired) == (RENT, ())
    assert found.drawn[0] == Drawn(2.0, 30.0, (("flat", "Mill 3"), ("damage", "Boiler, since May")))
    assert found.drawn[1].facts[0] == ("flat", "Mill, 4")
    made = build_scenarios(Scenarios(domains=("rent",), csv={"rent": str(path)}, train=1, held_out=1), seed=1)
    assert [(s.focal_target, s.counterparty_target) for s in made] == [(2, 30), (3, 40)]
