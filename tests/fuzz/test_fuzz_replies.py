"""Whatever a model writes is a turn, or unusable: never a crash, a hang, or a figure that is none."""

import json
import math

from fuzzing import FUZZ, JSON, TEXTS, changed, in_time
from hypothesis import example, given
from hypothesis import strategies as st

from emodistill.domains.quantities import Clock, Duration
from emodistill.judge.score import expected_score, parse_score
from emodistill.records import Reading
from emodistill.rollout import structured
from emodistill.rollout.offers import read

UNITS = st.sampled_from([Duration("days"), Duration("minutes"), Duration("hours"), Clock(21)])
WORDS = st.sampled_from(
    ("I we you your my our accept agree offer deal walking away am is not n't if but and or to from between in by at "
     "within days day weeks months hours minutes half quarter past o'clock PM AM midnight noon a an the one two ten "
     "twenty forty-five hundred thousand and , . ! ? ; : - – — ( ) \" ' “ ” … * _ # ~ ¤ 1 2 30 45 9:30 10 2.5 1/2 ½ % "
     "$ USD , 000 1,000 debtor: user: [ ] { } < > / \\ \n said says asked ask can cannot will won't would could take "
     "make stay hold final last best no yes ok okay fine done bye goodbye how about what let us say instead of rather "
     "than "
     "more less fewer another already overdue late since ago until before after each every per first second").split()
)  # fmt: skip
UTTERANCES = st.one_of(
    st.lists(WORDS, max_size=40).map(" ".join),
    st.lists(WORDS, max_size=12).map("".join),
    TEXTS,
    st.builds(
        lambda words, between, size: (between.join(words) + between) * (1 + size // (1 + len(words))),
        st.lists(WORDS | TEXTS, min_size=1, max_size=4),
        st.sampled_from(["", " "]),
        st.integers(1, 2500),
    ),
)
REPLY = {"decision": "offer", "offer": 30, "message": "I can do 30 days."}
DEEP = "[" * 100_000
LONG = '{"message": "' * 20_000
STRUCTURED = st.one_of(
    changed(REPLY).map(json.dumps),
    changed(REPLY).map(lambda reply: json.dumps(reply)[: len(json.dumps(reply)) // 2]),
    UTTERANCES.map(lambda words: json.dumps(REPLY | {"message": words})),
    UTTERANCES.map(lambda words: '{"decision": "walk", "offer": 3, "message": "' + words),
    UTTERANCES,
    JSON.map(json.dumps),
    st.sampled_from([DEEP, '{"a":' * 50_000, LONG, f'{{"offer": {"1" * 5000}}}', '{"offer": 1e999}']),
)


def plausible(found: Reading) -> bool:
    return found.offer is None or (isinstance(found.offer, float | int) and math.isfinite(found.offer))


@FUZZ
@given(UTTERANCES, UNITS)
def test_no_utterance_breaks_the_reader(text, quantity):
    with in_time():
        found = read(text, quantity)
    assert plausible(found) and not (found.accepts and found.walks)


@FUZZ
@given(STRUCTURED, UNITS)
@example(DEEP, Duration("days"))
@example(LONG, Duration("days"))
def test_no_structured_reply_breaks_its_parser(text, quantity):
    with in_time():
        found = structured.parse(text, quantity)
    if found is not None:
        said, reading = found
        assert said and plausible(reading) and sum((reading.offer is not None, reading.accepts, reading.walks)) == 1


SCORES = st.one_of(
    UTTERANCES,
    st.tuples(st.sampled_from([" ", "\n", "score", "score ", "9", "9 ", "\u2003"]), st.integers(1, 200_000)).map(
        lambda pair: pair[0] * pair[1]
    ),
    st.integers(0, 10**6).map(lambda size: f"score{' ' * size}"),
    st.text(st.sampled_from("score:= .0123456789\n"), max_size=12),
)
CHANCES = st.lists(st.tuples(TEXTS | st.sampled_from("0123456789 "), st.floats(0, 1)), max_size=8).map(tuple)


@FUZZ
@given(SCORES, CHANCES)
@example("score" + " " * 1_000_000, ())
def test_a_judges_reply_is_one_of_ten_scores_or_missing(text, alternatives):
    with in_time():
        score = parse_score(text)
        expected = expected_score(score, alternatives)
    digits = [c for c in text if c in "0123456789"]
    assert math.isnan(score) or (1 <= score <= 10 and digits == [str(int(score) - 1)])
    assert math.isnan(expected) if math.isnan(score) else 1 <= expected <= 10 + 1e-9
