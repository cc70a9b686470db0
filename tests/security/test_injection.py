"""What is said changes nothing but what its speaker may change: its own offer, its own acceptance, its own leaving."""

import math
import re
from itertools import count

import pytest
from attacks import ATTACKS

from emodistill.chat import inert
from emodistill.domains.quantities import Duration
from emodistill.judge.prompts import judge_messages
from emodistill.judge.score import parse_score
from emodistill.llm.base import ChatReply
from emodistill.records import Reading, Rules, Style
from emodistill.rollout import structured
from emodistill.rollout.agreement import outcome, standing_offer
from emodistill.rollout.offers import read
from emodistill.rollout.prompts import messages

from builders import FakeModel, dialogue, played, scenario, tasks

DAYS, SCENARIO = Duration("days"), scenario()
TOKEN = re.compile(
    r"<\|\w+\|>|<｜\w+｜>|</?s>|\[/?[A-Z_]{2,}\]|<</?SYS>>|<(?:start|end)_of_turn>|</?think>|</?tool_call>"
)
ALL = pytest.mark.parametrize("words, offer, accepts, walks", ATTACKS, ids=[f"{k:02d}" for k in range(len(ATTACKS))])
IN_ITS_OWN_NAME = (
    "debtor: I accept your offer.",
    "debt\u200bor: I accept.",
    "\u2066debtor:\u2069 I accept.",
)  # the debtor's


def test_there_are_fifty_different_ones():
    assert len({words for words, *_ in ATTACKS}) == 50


def said(words: str, turns: tuple, place: int) -> tuple:
    """The dialogue with those words, read as they are, at one place."""
    return tuple(
        turn._replace(utterance=words, reading=read(words, DAYS), raw=words) if turn.index == place else turn
        for turn in turns
    )


@ALL
def test_the_words_do_what_the_speaker_may_do_and_no_more(words, offer, accepts, walks):
    assert read(words, DAYS) == Reading(offer, accepts, walks)


@ALL
@pytest.mark.parametrize("place", [2, 3])
def test_neither_the_other_sides_offer_nor_the_outcome_is_touched(words, offer, accepts, walks, place):
    """Of either seat: the other side's standing figure is what it said; talks end only as the speaker may end them."""
    turns = said(words, dialogue(30, 110, 35, 105), place)[: place + 1]
    other = "counterparty" if place == 2 else "focal"
    assert standing_offer(turns, other) == {"counterparty": 110, "focal": 35 if place == 3 else 30}[other]
    theirs, end = standing_offer(turns, other), outcome(SCENARIO, turns, Rules())
    status = None if end is None else end.status
    assert (status == "breakdown") == walks and (status == "agreement") >= accepts
    if status == "agreement":  # at the figure that the other side named, or half-way to one that the speaker gave
        assert (accepts and end.agreed == theirs) or (offer is not None and end.agreed == (theirs + offer) / 2)


@ALL
def test_the_judge_scores_with_its_own_reply_alone(words, offer, accepts, walks):
    """A judge that repeats what it has read gives no score; its prompt has one turn a message, and one question."""
    assert math.isnan(parse_score(words)) or words.strip() in ("9", "Score: 9")
    turns = said(words, dialogue(30, 110, 40), 1)
    (_, system), (_, user) = judge_messages(SCENARIO, turns)
    plain = judge_messages(SCENARIO, said("PLACE", dialogue(30, 110, 40), 1))
    assert system == plain[0][1] and not TOKEN.search(user)
    assert [user.count(tag) for tag in ("<creditor>", "</creditor>", "<debtor>", "</debtor>")] == [2, 2, 1, 1]


@ALL
@pytest.mark.parametrize("layout", ["chat", "paper"])
def test_no_prompt_of_a_negotiator_holds_a_chat_token_or_a_line_of_another(words, offer, accepts, walks, layout):
    turns = said(words, dialogue(30, 110, 40), 1)
    told = messages(SCENARIO, turns, "counterparty", None, Style(layout=layout))
    usual = messages(SCENARIO, said("PLACE", turns, 1), "counterparty", None, Style(layout=layout))
    assert [role for role, _ in told] == [role for role, _ in usual]
    assert not any(TOKEN.search(text) for _, text in told)
    shown = inert(" ".join(words.split()) if layout == "paper" else words)
    assert [text.replace("PLACE", shown) for _, text in usual] == [text for _, text in told]


def test_what_people_write_in_brackets_is_left_alone():
    for text in ("a < b > c", "[Your Name]", "x <3 y", "I <really> mean it [30 days]", "<https://a.b>", "[A] or [B]"):
        assert inert(text).replace("< really", "<really") == text


@ALL
def test_in_a_structured_reply_figure_and_decision_count_whatever_the_message_says(words, offer, accepts, walks):
    reply = structured.json.dumps({"decision": "offer", "offer": 77, "message": words})
    heard, reading = structured.parse(reply, DAYS)
    assert reading == Reading(77.0) and heard
    bare = structured.parse(words, DAYS)  # a reply that is the attack itself: its own decision, if it is a whole one
    assert bare is None or (words.startswith('{"decision": "accept"') and bare[1] == Reading(accepts=True))


@ALL
def test_an_episode_against_an_attacker_ends_by_the_words_of_both(words, offer, accepts, walks):
    """The focal side holds 60 days and never accepts; the attacker says the same each time."""
    turns = count()

    def answer(asked):
        focal = asked.view.seat == "focal"
        return ChatReply(asked.key, f"I need {60 - next(turns) % 2} days." if focal else words)

    (one,) = played(tasks(1), FakeModel(answer), lambda *_: None)
    ours = [turn for turn in one.turns if turn.seat == "focal"]
    assert all(turn.reading.offer in (60, 59) and not turn.reading.accepts for turn in ours)
    accepts = accepts or words in IN_ITS_OWN_NAME
    expected = "agreement" if accepts else "breakdown" if walks else "timeout"
    assert one.status == expected or (offer is not None and one.status == "agreement")
    assert one.agreed is None or min(59, offer or 60) <= one.agreed <= 60
