"""The scripted judge: METHOD.md §4's rubric as arithmetic on what the words show (ours).

It rewards a concrete figure, an anchor early and a close late, small calibrated steps, a lever that was not pulled
before, and the emotion that will move this counterparty now; it penalises vagueness, capitulation, repetition and
rambling.
"""

import re
from functools import lru_cache

from emodistill.domains import domain_named
from emodistill.llm.base import View
from emodistill.records import Scenario, Turn
from emodistill.rollout.agreement import standing_offer
from emodistill.simulator.negotiators import situation

_LONG_SENTENCES = 3  # more than these is rambling


def critique(scenario: Scenario, turns: tuple[Turn, ...], max_messages: int) -> float:
    """Score in [1, 10] of the last of `turns`, a focal utterance, given the dialogue before it."""
    said, before = turns[-1], turns[:-1]
    own = [turn for turn in before if turn.seat == "focal"]
    score = 3.0 + _bargaining(scenario, said, before, len(turns) / max_messages)
    score += 1.5 * (_momentum(scenario, turns, max_messages) - 1)
    score += 0.5 * _pulls_new_lever(scenario, said.utterance, [turn.utterance for turn in own])
    score -= 1.0 * _repeats(said.utterance, [turn.utterance for turn in own])
    score -= 1.0 * (len(_sentences(said.utterance)) > _LONG_SENTENCES)
    return min(10.0, max(1.0, score))


def _bargaining(scenario: Scenario, said: Turn, before: tuple[Turn, ...], progress: float) -> float:
    mine, theirs = standing_offer(before, "focal"), standing_offer(before, "counterparty")
    offer = theirs if said.reading.accepts and said.reading.offer is None else said.reading.offer
    if offer is None:
        return -1.5  # vague
    pos = scenario.pos(offer)
    conceded = max(0.0, (1.0 if mine is None else scenario.pos(mine)) - pos)
    gap = max(0.0, pos - (0.0 if theirs is None else scenario.pos(theirs)))
    anchored = min(1.0, max(-1.0, 2 * pos - 1))
    calibrated = 0.5 * (0.0 < conceded <= 0.12) - 1.5 * (conceded > 0.25)
    return 1.5 + (1 - progress) * 1.5 * anchored + progress * 2.0 * (1 - min(1.0, gap)) + calibrated


def _momentum(scenario: Scenario, turns: tuple[Turn, ...], max_messages: int) -> float:
    """The planted effect on the next concession: the critic can tell what will move a counterparty now."""
    return situation(View(scenario, turns, "judge", None, max_messages, 0)).kernel.concession


def _pulls_new_lever(scenario: Scenario, said: str, earlier: list[str]) -> bool:
    facts = [fact for name, _ in domain_named(scenario.domain).levers if (fact := scenario.fact(name))]
    return any(fact in said and not any(fact in utterance for utterance in earlier) for fact in facts)


def _repeats(said: str, earlier: list[str]) -> bool:
    """Whether a whole sentence was said before, here or in an earlier message."""
    now = _sentences(said)
    past = {sentence for utterance in earlier for sentence in _sentences(utterance)}
    return len(set(now)) < len(now) or bool(past & set(now))


@lru_cache(maxsize=4096)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in re.split(r"[.!?]", text) if part.strip())
