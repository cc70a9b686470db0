"""Checksums of what models are told: a run notices when another version of this package words its prompts otherwise.

Each is over an example in every style, so that it holds templates, briefs, personas, emotion instructions and rubric
whatever module they stand in.
"""

import hashlib
from collections.abc import Iterable
from itertools import product
from typing import get_args

from emodistill.chat import Messages
from emodistill.domains import domain_named
from emodistill.domains.base import PERSONAS, as_scenarios, generate
from emodistill.emotions import GOEMOTIONS
from emodistill.judge.prompts import judge_messages
from emodistill.records import Layout, Reading, Replies, Scenario, Seat, Style, Turn
from emodistill.rollout.prompts import messages

_SAID = (
    Turn(0, "focal", "We need an answer.", Reading(), "joy", "We need an answer."),
    Turn(1, "counterparty", "You have it.", Reading(), None, "You have it."),
)


def of_negotiators(domain: str) -> str:
    """Checksum of all prompts of both seats, in every layout, reply format and persona, with every emotion."""
    seats: tuple[Seat, ...] = get_args(Seat)
    scenario = _example(domain)
    told = [messages(scenario, _SAID, "focal", emotion) for emotion in GOEMOTIONS]
    for seat, layout, replies, persona in product(seats, get_args(Layout), get_args(Replies), PERSONAS):
        told.append(messages(scenario, _SAID, seat, None, Style(layout, replies, persona)))
    return _checksum(told)


def of_judge(domain: str) -> str:
    """Checksum of the judge's prompt."""
    return _checksum([judge_messages(_example(domain), _SAID[:1])])


def _example(domain: str) -> Scenario:
    known = domain_named(domain)
    return as_scenarios(known, generate(known, 1, seed=0), 1, 0)[0]


def _checksum(told: Iterable[Messages]) -> str:
    return hashlib.sha256("\0".join(text for chat in told for pair in chat for text in pair).encode()).hexdigest()[:16]
