"""The scripted judge: METHOD.md §4's rubric as arithmetic on what the words show (ours)."""

from emodistill.records import Scenario, Turn
from emodistill.rollout.agreement import standing_offer
from emodistill.simulator.effects import effect, phase
from emodistill.simulator.hearing import heard_emotion


def critique(scenario: Scenario, turns: tuple[Turn, ...], max_messages: int) -> float:
    """Score in [1, 10] of the last of `turns`, a focal utterance, given the dialogue before it."""
    said, before = turns[-1], turns[:-1]
    mine, theirs = standing_offer(before, "focal"), standing_offer(before, "counterparty")
    offer = theirs if said.reading.accepts and said.reading.offer is None else said.reading.offer
    score = 3.0
    if offer is None:
        score -= 1.5  # vague
    else:
        pos = scenario.pos(offer)
        conceded = max(0.0, (1.0 if mine is None else scenario.pos(mine)) - pos)
        score += 2.0 + 2.0 * min(1.0, max(-1.0, 2 * pos - 1))  # concrete; anchored or capitulating
        score -= 1.5 * (conceded > 0.25)
        score += 0.5 * (0.0 < conceded <= 0.12)  # a calibrated step
    score -= 1.5 * any(turn.utterance == said.utterance for turn in before)
    score += 0.5 * any(
        fact and fact in said.utterance for name, fact in scenario.facts if name in ("balance", "stage", "credit type")
    )
    return min(10.0, max(1.0, score + 1.5 * (_momentum(scenario, turns, max_messages) - 1)))


def _momentum(scenario: Scenario, turns: tuple[Turn, ...], max_messages: int) -> float:
    """The planted effect on the next concession: the critic can tell what will move this counterparty."""
    theirs = [scenario.pos(t.reading.offer) for t in turns if t.seat == "counterparty" and t.reading.offer is not None]
    step = theirs[-1] - theirs[-2] if len(theirs) > 1 else 0.0
    focal = [turn for turn in turns if turn.seat == "focal"]
    previous = heard_emotion(focal[-2].utterance) if len(focal) > 1 else None
    return effect(heard_emotion(focal[-1].utterance), previous, phase(len(turns) / max_messages, step)).concession
