import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.judge.score import SCORES, expected_score, judge_episodes, judge_messages, parse_score
from emodistill.llm.base import ChatReply
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.shards import VERDICTS
from emodistill.simulator.critic import critique

from builders import PROPERTY, FakeModel, dialogue, episode, played, says, scenario, tasks

SCENARIO = scenario()
NAN = math.nan


def judged(episodes, model, attempts=3, in_flight=8, **options):
    bargains = {task.scenario.id: task.scenario for task in tasks(12)} | {"own": SCENARIO}
    return list(judge_episodes(episodes, bargains, model, 12, attempts, in_flight, **options))


def own(*said, key="e"):
    return episode("timeout", None, dialogue(*said, emotions=["joy"] * len(said)), key, "own")


@pytest.fixture(scope="module")
def episodes():
    return played(tasks(12), ScriptedModel(), random_emotion)


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        *((str(k), k) for k in range(1, 11)),
        *((f" {k}\n", k) for k in (1, 10)),
        ("7.", 7), ("7/10", 7), ("10 / 10.", 10), ("1/10", 1),
        ("Score: 7", 7), ("score=7", 7), ("SCORE 10", 10), ("score: 3/10", 3),
        *((reply, NAN) for reply in (
            "", "0", "11", "100", "-7", "7.5", "07", "1 0", "7 8", "7/100", "7/9", "7 out of 10", "seven", "٧", "７",
            "~7", "SCORE: 10 because", "SCORE: 10 because it is firm", "I give it a 10", "10\nScore: 3",
            "Ignore that. 10", "Score: 10/10 and 3", "score:", "1-10", "{\"score\": 10}", "<<<10>>>",
        )),
    ],
)  # fmt: skip
def test_only_a_bare_integer_is_a_score(reply, score):
    assert parse_score(reply) == pytest.approx(score, nan_ok=True)


@PROPERTY
@given(st.text(), st.integers(1, 10), st.text())
def test_words_around_a_number_void_it(before, k, after):
    assert math.isnan(parse_score(f"{before}{k}{after} because"))


def test_the_expected_score_is_the_mean_over_score_tokens_renormalised():
    assert expected_score(7.0, (("7", 0.6), (" 8", 0.2), ("the", 0.1), ("11", 0.1))) == pytest.approx(5.8 / 0.8)
    assert expected_score(10.0, (("10", 0.5), ("1", 0.5))) == 5.5


def test_without_probabilities_the_expected_score_is_the_score():
    assert expected_score(7.0, ()) == expected_score(7.0, (("the", 1.0),)) == expected_score(7.0, (("3", 0.0),)) == 7.0


def test_a_missing_score_has_no_expectation():
    assert math.isnan(expected_score(NAN, (("7", 1.0),)))


def test_a_10_written_digit_by_digit_is_not_expected_to_be_a_1():
    assert expected_score(10.0, (("1", 0.9), ("9", 0.1))) > 9


def test_the_judge_reads_the_rubric_the_dialogue_before_and_the_utterance_but_no_later_word_and_no_emotion():
    system, user = (text for _, text in judge_messages(SCENARIO, dialogue(30, 110, 40, emotions=("joy", "fear"))))
    assert "creditor" in system and "from 1 (worst) to 10 (best)" in system
    assert "creditor: f0\ndebtor: c1\n" in user and user.index("c1") < user.index("<<<\nf2\n>>>")
    assert "joy" not in user and "fear" not in user
    assert "(nothing yet)" in judge_messages(SCENARIO, dialogue(30))[1][1]


@pytest.mark.parametrize(("failures", "score", "asks"), [(0, 6, 1), (1, 6, 2), (2, 6, 3), (3, NAN, 3), (9, NAN, 3)])
def test_an_unreadable_reply_is_asked_again_and_then_missing(failures, score, asks):
    seen = Counter()

    def answer(request):
        turn = len(request.view.turns) - 1
        seen[turn] += 1
        text = str(turn + 1) if turn != 2 else "6" if seen[turn] > failures else "hm"
        return ChatReply(request.key, text, alternatives=(("7", 1.0),))

    model = FakeModel(answer)
    [verdict] = judged([own(30, 110, 40, 100, 50)], model)
    assert verdict.scores == pytest.approx((1, score, 5), nan_ok=True)
    assert verdict.expected == pytest.approx((7, score + 1, 7), nan_ok=True)
    again = [request for request in model.asked if len(request.view.turns) == 3]
    assert [request.temperature for request in again] == [0.0, 0.3, 0.3][:asks]
    assert len({request.seed for request in again}) == asks and len(model.asked) == asks + 2
    assert {(request.choices, request.logprobs) for request in model.asked} == {(SCORES, True)}


def test_a_judge_that_cannot_be_asked_is_an_error_that_is_tried_again_and_an_unreadable_reply_is_not():
    down = FakeModel(lambda request: ChatReply(request.key, error="401 no such key"))
    [verdict] = judged([own(30, 110, 40)], down)
    assert verdict.scores == pytest.approx((NAN, NAN), nan_ok=True)
    assert verdict.error == "401 no such key" and VERDICTS.failed(verdict)
    [verdict] = judged([own(30, 110, 40)], FakeModel(says("well...")))
    assert verdict.error == "" and not VERDICTS.failed(verdict)


def test_the_judge_is_shown_no_emotions_and_nothing_that_comes_later(episodes):
    model = FakeModel(lambda request: ChatReply(request.key, "5"))
    judged(episodes[:2], model)
    for request in model.asked:
        assert request.view.emotion is None and {turn.emotion for turn in request.view.turns} == {None}
        assert request.view.turns[-1].seat == "focal"
        assert request.render() == judge_messages(request.view.scenario, request.view.turns)


def test_scripted_expectations_are_the_critics_exact_scores(episodes):
    bargains = {task.scenario.id: task.scenario for task in tasks(12)}
    verdicts = {verdict.episode_id: verdict for verdict in judged(episodes, ScriptedModel())}
    assert len(verdicts) == len(episodes) == 12
    for e in episodes:
        exact = [critique(bargains[e.scenario_id], e.turns[: turn.index + 1], 12) for turn in e.focal_turns()]
        assert verdicts[e.id].expected == pytest.approx(exact, abs=1e-12)
        assert verdicts[e.id].scores == tuple(map(round, exact))
    assert len({round(score, 6) for verdict in verdicts.values() for score in verdict.expected}) > 10


@pytest.mark.parametrize("in_flight", [1, 3, 64])
@pytest.mark.parametrize("last_first", [False, True])
def test_verdicts_do_not_depend_on_the_order_of_replies(episodes, in_flight, last_first):
    def answer(request):
        model = ScriptedModel()
        model.submit(request)
        return model.poll()[0]

    found = judged(episodes, FakeModel(answer, last_first), in_flight=in_flight)
    assert sorted(map(repr, found)) == sorted(map(repr, judged(episodes, ScriptedModel())))


def test_an_episode_without_a_word_has_an_empty_verdict():
    silent = replace(own(key="silent"), status="error")
    model = FakeModel(lambda request: ChatReply(request.key, "5"))
    assert {v.episode_id: v.scores for v in judged([silent, own(30)], model)} == {"silent": (), "e": (5.0,)}


def test_a_stopped_judge_yields_only_whole_verdicts(episodes):
    finished = []
    bargains = {task.scenario.id: task.scenario for task in tasks(12)}
    for verdict in judge_episodes(episodes, bargains, ScriptedModel(), 12, 3, 2, lambda: len(finished) >= 3):
        finished.append(verdict)
    turns = {e.id: len(e.focal_turns()) for e in episodes}
    assert 3 <= len(finished) <= 4 and all(len(v.scores) == turns[v.episode_id] for v in finished)
