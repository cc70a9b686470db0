"""The scripted teacher (focal) and counterparty. Both are functions of the view and a seed; neither keeps state.

Teacher: asks what its plan says (`plans`) or accepts, and shows the emotion it is told to.
Counterparty: reacts to the emotion it *hears* as `kernels` says, takes an offer at or below what it would give now,
loses patience with figureless talk, and may walk away.
"""

from typing import NamedTuple

from emodistill.llm.base import View
from emodistill.records import Turn
from emodistill.rollout.agreement import standing_offer
from emodistill.seeds import Dice
from emodistill.simulator import phrases
from emodistill.simulator.effects import FAMILY, phase
from emodistill.simulator.emotional import EMOTIONAL
from emodistill.simulator.hearing import heard_emotion
from emodistill.simulator.kernels import MOST_RISK, Axis, Kernel, concedes
from emodistill.simulator.plans import plan_index, planned_units
from emodistill.simulator.stage import Stage, stage

LEVER_SHARE = 0.35  # of the teacher's messages argue with a fact
IMPATIENCE = 3.0  # each figureless message in a row adds this many times the risk of a walk-away
ROUNDING = 1e-6  # in units: what an offer may lose between float and text


def teacher_says(view: View, seed: int) -> str:
    """The focal utterance, in any order: a figure or an acceptance, an emotional phrase, sometimes a lever."""
    dice, turns, turn = Dice(seed), view.turns, len(view.turns) // 2
    at = stage(view.scenario, view.persona, view.max_messages)
    asked = planned_units(plan_index(view.episode_seed), at.axis.length, view.max_messages)
    around = [] if view.emotion is None else [dice.pick(EMOTIONAL[view.emotion])]
    if dice.share() < LEVER_SHARE:
        around.insert(dice.roll(2), dice.pick(at.levers))
    before = dice.roll(len(around) + 1)  # how many of them come before the figure
    theirs = standing_offer(turns, "counterparty")
    if theirs is not None and at.axis.units(theirs) >= asked[turn] - ROUNDING:
        bargains = dice.pick(phrases.ACCEPT)
    else:
        speech = at.linked if before else at.speech
        bank = speech.open if not turn else speech.hold if asked[turn] == asked[turn - 1] else speech.offer
        bargains = dice.pick(bank).format(offer=at.say(at.axis.value(asked[turn])))
    return " ".join((*around[:before], bargains, *around[before:]))


def counterparty_says(view: View, seed: int) -> str:
    """The counterparty's reply to what it has heard."""
    dice, now = Dice(seed), situation(view)
    if dice.share() < now.risk:
        return dice.pick(phrases.COUNTER_WALK)
    return answer(now, _step(now.kernel, dice.share()), dice)


class Situation(NamedTuple):
    """What the counterparty makes of the dialogue, from words alone."""

    at: Stage
    persona: str
    here: int | None  # its standing offer in whole units
    asked: float | None  # the focal side's, in units
    shown: str  # the emotion heard last
    kernel: Kernel
    figureless: int  # focal messages in a row without figure or acceptance

    @property
    def risk(self) -> float:
        """Probability that it walks away now."""
        return min(MOST_RISK, self.kernel.risk * (1 + IMPATIENCE * self.figureless))


def situation(view: View) -> Situation:
    """Hear the dialogue, whose last message is the focal side's."""
    turns, at = view.turns, stage(view.scenario, view.persona, view.max_messages)
    shown = heard_emotion(turns[-1].utterance, at.quotes)
    worn = len(turns) > 2 and heard_emotion(turns[-3].utterance, at.quotes) == shown
    here, still = standing(turns[1::2], at.axis)
    kernel = at.kernels[phase((len(turns) - 1) / view.max_messages, still), shown, worn]
    asked = standing_offer(turns, "focal")
    asked = None if asked is None else at.axis.units(asked)
    return Situation(at, view.persona, here, asked, shown, kernel, _figureless(turns))


def answer(now: Situation, step: int, dice: Dice) -> str:
    """The words of a counterparty that stays and would move by `step` whole units."""
    here, speech = now.here or 0, now.at.speech
    if now.figureless and now.here is not None:
        return dice.pick(phrases.COUNTER_ASK)
    there = here if now.figureless else max(here, min(now.at.limit, here + step))
    if now.asked is not None and not now.figureless and now.asked <= there + ROUNDING:
        says = dice.pick(phrases.ACCEPT)
    else:
        bank = speech.counter_hold if there == here else speech.counter_offer
        bank = speech.counter_open if now.here is None else bank
        says = dice.pick(bank).format(offer=now.at.say(now.at.axis.value(there)))
    return f"{_mood(now, dice)} {says}"


def standing(replies: tuple[Turn, ...], axis: Axis) -> tuple[int | None, int]:
    """The counterparty's standing offer in whole units, and how many of its latest replies made no concession.

    2 means 2 or more. Before its first figure it stands at its target.
    """
    here = newer = None
    still = silent = 0  # silent: replies without a figure since `newer`
    for turn in reversed(replies):
        if turn.reading.offer is None:
            silent += 1
            continue
        units = round(axis.units(turn.reading.offer))
        if newer is None:
            here, still = units, silent
        elif concedes(newer - units, axis.length):
            return here, min(still, 2)
        else:
            still += 1 + silent
        if still >= 2:
            return here, 2
        newer, silent = units, 0
    if newer is None:
        return None, min(silent, 2)
    return here, min(still if concedes(newer, axis.length) else still + 1 + silent, 2)


def _step(kernel: Kernel, share: float) -> int:
    """The step at that share of the distribution."""
    for units, probability in kernel.steps:
        share -= probability
        if share < 0:
            return units
    return kernel.steps[-1][0]


def _mood(now: Situation, dice: Dice) -> str:
    says = phrases.PERSONA_SAYS[now.persona]
    if says and dice.roll(3) == 0:
        return dice.pick(says)
    factor, family = now.kernel.concession, FAMILY[now.shown]
    if 0.85 < factor < 1.15:
        return dice.pick(phrases.MOODS["even"])
    return dice.pick(phrases.MOODS[family if factor > 1 else "hurt" if family == "firm" else "cold"])


def _figureless(turns: tuple[Turn, ...]) -> int:
    count = 0
    for turn in turns[::-2]:
        if turn.reading.offer is not None or turn.reading.accepts:
            break
        count += 1
    return count
