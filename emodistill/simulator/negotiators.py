"""The scripted teacher (focal) and counterparty. Both are functions of the view and a seed; neither keeps state.

Teacher: opens near its target and concedes along a curve drawn for the episode; it shows the emotion it is told to.
Counterparty: a persona drawn for the scenario concedes by its pace × the planted effect of the emotion it *hears*,
takes an offer that is within its limit, loses patience with figureless talk, and may walk away.
"""

import random

from emodistill.domains import domain_named
from emodistill.llm.base import View
from emodistill.records import Scenario, Turn
from emodistill.rollout.agreement import standing_offer
from emodistill.seeds import seed_of
from emodistill.simulator import phrases
from emodistill.simulator.effects import FAMILY, effect, phase
from emodistill.simulator.hearing import heard_emotion

BASE_RISK = 0.015  # of a walk-away at each counterparty turn, before the emotion's factor


def teacher_says(view: View, rng: random.Random) -> str:
    """The focal utterance: emotional phrase, figure or acceptance, and sometimes a fact as leverage."""
    curve = random.Random(seed_of(view.episode_seed, "teacher"))
    opening, give = curve.uniform(0.9, 1.0), curve.uniform(0.15, 0.65)
    progress = len(view.turns) / view.max_messages
    planned = opening - give * progress ** curve.uniform(0.6, 1.4)
    theirs = standing_offer(view.turns, "counterparty")
    if theirs is not None and view.scenario.pos(theirs) >= planned - 0.02:
        said = rng.choice(phrases.ACCEPT)
    else:
        mine = standing_offer(view.turns, "focal")
        domain = domain_named(view.scenario.domain)
        value = _whole(view.scenario, min(planned, 1.0 if mine is None else view.scenario.pos(mine)))
        speech = domain.speech
        bank = speech.open if mine is None else speech.hold if value == mine else speech.offer
        said = rng.choice(bank).format(offer=domain.quantity.say(value))
    parts = [said]
    if rng.random() < 0.35:
        parts.insert(rng.randrange(2), _lever(view.scenario, rng))
    if view.emotion is not None:
        parts.insert(0, rng.choice(phrases.EMOTIONAL[view.emotion]))
    return " ".join(parts)


def counterparty_says(view: View, rng: random.Random) -> str:
    """The counterparty's reply to what it has heard."""
    scenario, turns = view.scenario, view.turns
    persona = random.Random(seed_of("persona", scenario.id, scenario.counterparty_target, scenario.focal_target))
    limit = persona.uniform(0.5, 0.9)
    pace = persona.uniform(0.35, 0.8) / (
        view.max_messages / 2
    )  # unmoved, it gives up this share of the axis by the end
    heard = [turn for turn in turns if turn.seat == "focal"]
    own = [
        scenario.pos(turn.reading.offer)
        for turn in turns
        if turn.seat == "counterparty" and turn.reading.offer is not None
    ]
    here = own[-1] if own else 0.0
    last_step = own[-1] - own[-2] if len(own) > 1 else 0.0
    shown = heard_emotion(heard[-1].utterance)
    before = heard_emotion(heard[-2].utterance) if len(heard) > 1 else None
    reaction = effect(shown, before, phase(len(turns) / view.max_messages, last_step))

    figureless = _trailing_figureless(heard)
    risk = BASE_RISK * reaction.risk * (1 + 3 * figureless)
    if rng.random() < risk:
        return rng.choice(phrases.COUNTER_WALK)
    step = pace * reaction.concession * rng.uniform(0.7, 1.3) * (0.0 if figureless else 1.0)
    there = here if not own else min(limit, here + step)
    theirs = standing_offer(turns, "focal")
    if theirs is not None and not figureless and scenario.pos(theirs) <= there:
        return f"{_mood(rng, shown, reaction.concession)} {rng.choice(phrases.ACCEPT)}"
    if figureless and own:
        return rng.choice(phrases.COUNTER_ASK)
    domain, value = domain_named(scenario.domain), _whole(scenario, there)
    speech = domain.speech
    bank = (
        speech.counter_open
        if not own
        else speech.counter_hold
        if value == _whole(scenario, here)
        else speech.counter_offer
    )
    return f"{_mood(rng, shown, reaction.concession)} {rng.choice(bank).format(offer=domain.quantity.say(value))}"


def _lever(scenario: Scenario, rng: random.Random) -> str:
    _, sentence = rng.choice(domain_named(scenario.domain).levers)
    return sentence.format(**dict(scenario.facts))


def _mood(rng: random.Random, shown: str, factor: float) -> str:
    family = FAMILY[shown]
    if factor < 0.8 and family == "firm":
        return rng.choice(phrases.MOODS["hurt"])
    mood = {"warm": "warmed", "firm": "pressed", "sorrow": "moved"}.get(family, "even")
    return rng.choice(phrases.MOODS[mood])


def _trailing_figureless(heard: list[Turn]) -> int:
    count = 0
    for turn in reversed(heard):
        if turn.reading.offer is not None or turn.reading.accepts:
            break
        count += 1
    return count


def _whole(scenario: Scenario, pos: float) -> float:
    return float(round(scenario.value(pos)))
