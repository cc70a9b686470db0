import json
import re
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.domains.quantities import Clock, Duration
from emodistill.llm.base import ChatReply
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.records import Reading, Style
from emodistill.rollout.prompts import messages
from emodistill.rollout.structured import dress, parse, schema

from builders import PROPERTY, FakeModel, played, scenario, tasks

DAYS, CLOCK, JSON = Duration("days"), Clock(21), Style(replies="structured")


def reply(decision: str, offer: object, message: str) -> str:
    return json.dumps({"decision": decision, "offer": offer, "message": message})


@pytest.mark.parametrize(
    ("text", "heard", "reading"),
    [
        (reply("offer", 30, "I can do 30 days."), "I can do 30 days.", Reading(30.0)),
        (reply("offer", 30, "Let us be fair."), "Let us be fair. My offer is 30 days.", Reading(30.0)),
        (reply("offer", 1, "Fast!"), "Fast! My offer is 1 day.", Reading(1.0)),
        (reply("accept", 99, "Good."), "Good. I accept your offer.", Reading(accepts=True)),
        (reply("walk", 0, "Enough."), "Enough. I am walking away.", Reading(walks=True)),
        ('{"decision": "offer", "offer": 30, "message": "cut \\"he', 'cut "he My offer is 30 days.', Reading(30.0)),
    ],
)
def test_the_figure_decides_and_the_words_are_made_to_say_it(text, heard, reading):
    assert parse(text, DAYS) == (heard, reading)


@pytest.mark.parametrize(
    "text",
    [
        "", "I can do 30 days.", "[1]", '"offer"', "{", reply("shrug", 3, "x"), reply("offer", None, "x"),
        reply("offer", "30", "x"), reply("offer", True, "x"), reply("offer", -3, "x"), reply("offer", 1e9, "x"),
        '{"decision": "offer", "offer": NaN, "message": "x"}', '{"decision": "offer", "offer": 3, "message": 4}',
        '{"decision": "offer", "offer": 3',
    ],
)  # fmt: skip
def test_anything_else_is_unusable(text):
    assert parse(text, DAYS) is None


@PROPERTY
@given(st.text())
def test_no_reply_breaks_the_parser(text):
    for quantity in (DAYS, CLOCK):
        for reply_text in (text, '{"decision": "walk", "offer": 3, "message": "' + text):
            found = parse(reply_text, quantity)
            assert found is None or (found[0] and sum((found[1].offer is not None, *astuple(found[1])[1:])) == 1)


def test_a_schema_asks_for_the_figure_in_the_domains_own_way():
    assert json.loads(schema(DAYS))["properties"]["offer"]["type"] == "integer"
    pattern = json.loads(schema(CLOCK))["properties"]["offer"]["pattern"]
    said = [CLOCK.say(minutes) for minutes in range(-120, 480)]
    assert all(re.match(pattern, time) for time in said)
    assert not re.match(pattern, "13:00 PM")


def test_a_dressed_utterance_says_the_same_or_repeats_the_standing_figure():
    assert parse(dress("I can offer 40 days.", DAYS, 50.0), DAYS) == ("I can offer 40 days.", Reading(40.0))
    heard, reading = parse(dress("Please name a figure.", DAYS, 50.0), DAYS)
    assert reading == Reading(50.0)
    assert heard.endswith("My offer is 50 days.")


def test_structured_episodes_bargain_as_the_same_ones_in_text():
    """The simulator says the same, once in words and once as JSON: the same turns, the raw reply kept in both."""
    text = played(tasks(5), ScriptedModel(), random_emotion)
    as_json = played(tasks(5), ScriptedModel(), random_emotion, style=JSON)
    for plain, dressed in zip(sorted(text, key=str), sorted(as_json, key=str), strict=True):
        assert (plain.status, plain.agreed) == (dressed.status, dressed.agreed)
        assert [(t.utterance, t.reading) for t in plain.turns] == [(t.utterance, t.reading) for t in dressed.turns]
        assert all(json.loads(turn.raw)["message"] == turn.utterance for turn in dressed.turns)


def test_the_speaker_sees_its_own_json_and_the_other_side_the_words():
    (one,) = played(tasks(1), ScriptedModel(), random_emotion, style=JSON)
    own = messages(scenario(), one.turns[:2], "focal", None, JSON)
    other = messages(scenario(), one.turns[:1], "counterparty", None, JSON)
    assert own[2] == ("assistant", one.turns[0].raw)
    assert other[1] == ("user", one.turns[0].utterance)
    assert '"decision"' in own[0][1]


def test_unusable_replies_end_in_an_error_that_shows_them():
    (one,) = played(tasks(1), FakeModel(lambda r: ChatReply(r.key, "blah")), random_emotion, style=JSON)
    assert (one.status, one.error.count("unusable reply 'blah'")) == ("error", 3)
