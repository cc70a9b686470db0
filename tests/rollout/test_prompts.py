from itertools import cycle

from hypothesis import given
from hypothesis import strategies as st

from emodistill.domains.crad import DOMAIN
from emodistill.emotions import GOEMOTIONS, instruction
from emodistill.records import Style
from emodistill.rollout.prompts import OPENING, messages, without_emotion

from builders import PROPERTY, dialogue, scenario

SAID = dialogue(30, 110, 40, 100, emotions=("joy", "anger"))
emotion = st.none() | st.sampled_from(GOEMOTIONS)


@st.composite
def dialogues(draw):
    words = draw(st.lists(st.text(min_size=1), max_size=7))
    bare = dialogue(*[0] * len(words), emotions=draw(st.lists(emotion, min_size=4, max_size=4)))
    return tuple(turn._replace(utterance=text) for turn, text in zip(bare, words, strict=True))


def test_the_focal_chat_word_for_word():
    assert messages(scenario(), SAID, "focal", "fear") == (
        ("system", DOMAIN.brief(scenario(), "focal")),
        ("user", f"{OPENING}\n{instruction('joy')}"),
        ("assistant", "f0"),
        ("user", f"c1\n{instruction('anger')}"),
        ("assistant", "f2"),
        ("user", f"c3\n{instruction('fear')}"),
    )


def test_the_counterpartys_chat_word_for_word():
    assert messages(scenario(), SAID[:3], "counterparty", None) == (
        ("system", DOMAIN.brief(scenario(), "counterparty")),
        ("user", "f0"),
        ("assistant", "c1"),
        ("user", "f2"),
    )


@PROPERTY
@given(dialogues(), emotion)
def test_every_prompt_extends_the_one_before_and_its_reply(turns, now):
    for seat, first in (("focal", 0), ("counterparty", 1)):
        for k in range(first, len(turns) - 1, 2):
            before = messages(scenario(), turns[:k], seat, turns[k].emotion)
            after = messages(scenario(), turns[: k + 2], seat, now if seat == "focal" else None)
            assert after[: len(before) + 1] == (*before, ("assistant", turns[k].utterance))
            assert len(after) == len(before) + 2


@PROPERTY
@given(dialogues(), emotion)
def test_what_the_counterparty_reads_does_not_depend_on_emotions(turns, now):
    turns = turns[: len(turns) - (len(turns) + 1) % 2]  # up to a focal message
    assert messages(scenario(), turns, "counterparty", None) == messages(
        scenario(), without_emotion(turns), "counterparty", None
    )


@PROPERTY
@given(dialogues())
def test_without_emotion_there_is_no_block_and_the_same_words(turns):
    turns = turns[: len(turns) // 2 * 2]
    words = [OPENING, *(turn.utterance for turn in turns)]
    chat = messages(scenario(), without_emotion(turns), "focal", None)
    assert chat[1:] == tuple(zip(cycle(("user", "assistant")), words, strict=False))
    assert [turn._replace(emotion=None) for turn in turns] == list(without_emotion(turns))


def test_the_papers_layout_is_one_message_with_the_emotion_last():
    ((role, content),) = messages(scenario(), SAID, "focal", "fear", Style(layout="paper"))
    assert role == "user"
    assert content == (
        f"{DOMAIN.brief(scenario(), 'focal')}\n\nThe negotiation so far:\ncreditor: f0\ndebtor: c1\ncreditor: f2\n"
        f"debtor: c3\n\nIt is your turn.\n{instruction('fear')}"
    )


def test_a_persona_colours_the_counterparty_alone():
    plain, threat = Style(), Style(persona="threat")
    assert messages(scenario(), SAID, "focal", None, threat) == messages(scenario(), SAID, "focal", None, plain)
    said = messages(scenario(), SAID, "counterparty", None, threat)
    assert said[0][1] == f"{DOMAIN.brief(scenario(), 'counterparty')} {dict(DOMAIN.personas)['threat']}"
    assert said[1:] == messages(scenario(), SAID, "counterparty", None, plain)[1:]
