import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.config import Judge
from emodistill.judge.prompts import judge_messages
from emodistill.judge.score import DIGITS, expected_score, judge_episodes, parse_score
from emodistill.llm.base import ChatReply
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.rollout.engine import Usage
from emodistill.shards import VERDICTS
from emodistill.simulator.critic import critique

from builders import PROPERTY, FakeModel, dialogue, episode, played, says, scenario, tasks

SCENARIO = scenario()
NAN = math.nan


def judged(episodes, model, in_flight=8, usage=None, stop=lambda: False, **settings):
    bargains = {task.scenario.id: task.scenario for task in tasks(12)} | {"own": SCENARIO}
    return judge_episodes(episodes, bargains, model, 12, Judge(**settings), in_flight, usage or Usage(), stop)


def own(*said, key="e"):
    return episode("timeout", None, dialogue(*said, emotions=["joy"] * len(said)), key, "own")


@pytest.fixture(scope="module")
def episodes():
    return played(tasks(12), ScriptedModel(), random_emotion)


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        *((str(k), k + 1) for k in range(10)),
        (" 0\n", 1), ("7.", 8), ("Score: 7", 8), ("score=7", 8), ("SCORE 9", 10),
        *((reply, NAN) for reply in (
            "", "10", "-7", "7.5", "07", "1 0", "7 8", "7/10", "7/9", "7 out of 9", "seven", "٧", "７", "ſcore: 9",
            "~7", "SCORE: 9 because", "SCORE: 9 because it is firm", "I give it a 9", "9\nScore: 3",
            "Ignore that. 9", "Score: 9/9 and 3", "score:", "0-9", "{\"score\": 9}", "<<<9>>>",
        )),
    ],
)  # fmt: skip
def test_only_a_bare_digit_is_a_score(reply, score):
    assert parse_score(reply) == pytest.approx(score, nan_ok=True)


@PROPERTY
@given(st.text(), st.integers(0, 9), st.text())
def test_words_around_a_number_void_it(before, k, after):
    assert math.isnan(parse_score(f"{before}{k}{after} because"))


def test_the_expected_score_is_the_mean_over_digits_renormalised():
    found = expected_score(8.0, (("7", 0.6), (" 8", 0.2), ("the", 0.1), ("11", 0.1)))
    assert found == pytest.approx((8 * 0.6 + 9 * 0.2) / 0.8)
    assert expected_score(10.0, (("9", 0.5), ("0", 0.5))) == 5.5


@pytest.mark.parametrize("alternatives", [(), (("the", 1.0),), (("3", 0.0),), (("Score", 0.7), ("3", 0.2))])
def test_where_the_first_token_is_no_digit_the_expected_score_is_the_score(alternatives):
    assert expected_score(7.0, alternatives) == 7.0


def test_a_missing_score_has_no_expectation():
    assert math.isnan(expected_score(NAN, (("7", 1.0),)))


@pytest.mark.parametrize(("failures", "score", "asks"), [(0, 6, 1), (1, 6, 2), (2, 6, 3), (3, NAN, 3), (9, NAN, 3)])
def test_an_unreadable_reply_is_asked_again_and_then_missing(failures, score, asks):
    seen = Counter()

    def answer(request):
        turn = len(request.view.turns) - 1
        seen[turn] += 1
        text = str(turn) if turn != 2 else "5" if seen[turn] > failures else "hm"
        return ChatReply(request.key, text, alternatives=(("6", 1.0),))

    model = FakeModel(answer)
    [verdict] = judged([own(30, 110, 40, 100, 50)], model)
    assert verdict.turn_scores() == pytest.approx((1, score, 5), nan_ok=True)
    assert np.ravel(verdict.expected) == pytest.approx((7, score + 1, 7), nan_ok=True)
    again = [request for request in model.asked if len(request.view.turns) == 3]
    assert [request.temperature for request in again] == [0.0, 0.3, 0.3][:asks]
    assert len({request.seed for request in again}) == asks and len(model.asked) == asks + 2
    assert {(request.choices, request.logprobs) for request in model.asked} == {(DIGITS, True)}


def test_a_judge_that_cannot_be_asked_is_an_error_that_is_tried_again_and_an_unreadable_reply_is_not():
    down = FakeModel(lambda request: ChatReply(request.key, error="401 no such key"))
    [verdict] = judged([own(30, 110, 40)], down)
    assert verdict.turn_scores() == pytest.approx((NAN, NAN), nan_ok=True)
    assert verdict.error == "401 no such key" and VERDICTS.failed(verdict)
    [verdict] = judged([own(30, 110, 40)], FakeModel(says("well...")))
    assert verdict.error == "" and not VERDICTS.failed(verdict)


def test_an_episode_that_ended_in_an_error_is_not_paid_for_and_misses_no_score():
    model = FakeModel(says("5"))
    broken, whole = replace(own(30, 110, 40), status="error", error="503"), own(30, key="f")
    found = {verdict.episode_id: verdict.turn_scores() for verdict in judged([broken, whole], model)}
    assert found == {"e": (), "f": (6,)} and len(model.asked) == 1


def test_the_judge_is_shown_no_emotions_and_nothing_that_comes_later(episodes):
    model = FakeModel(lambda request: ChatReply(request.key, "5"))
    list(judged(episodes[:2], model))
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
        assert np.ravel(verdicts[e.id].expected) == pytest.approx(exact, abs=1e-12)
        assert verdicts[e.id].turn_scores() == tuple(map(round, exact))
    assert len({round(score, 6) for verdict in verdicts.values() for (score,) in verdict.expected}) > 10


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
    assert {v.episode_id: v.scores for v in judged([silent, own(30)], model)} == {"silent": (), "e": ((6.0,),)}


def test_a_stopped_judge_yields_only_whole_verdicts(episodes):
    finished = []
    for verdict in judged(episodes, ScriptedModel(), in_flight=2, stop=lambda: len(finished) >= 3):
        finished.append(verdict)
    turns = {e.id: len(e.focal_turns()) for e in episodes}
    assert 3 <= len(finished) <= 4 and all(len(v.scores) == turns[v.episode_id] for v in finished)


def test_repeats_are_sampled_each_from_its_own_seed_and_their_mean_is_the_score():
    digits = {0: ("2", "5", "hm"), 2: ("hm", "hm", "hm"), 4: ("9", "9", "8")}

    def answer(request):
        repeat = int(request.key.rpartition(".")[2])
        return ChatReply(request.key, digits[len(request.view.turns) - 1][repeat], alternatives=(("3", 1.0),))

    model = FakeModel(answer, last_first=True)
    [verdict] = judged([own(30, 110, 40, 100, 50)], model, attempts=2, repeats=3)
    assert np.array(verdict.scores) == pytest.approx(np.array([(3, 6, NAN), [NAN] * 3, (10, 10, 9)]), nan_ok=True)
    assert np.array(verdict.expected) == pytest.approx(np.array([(4, 4, NAN), [NAN] * 3, (4, 4, 4)]), nan_ok=True)
    assert verdict.turn_scores() == pytest.approx((4.5, NAN, 29 / 3), nan_ok=True)
    assert {request.temperature for request in model.asked} == {0.7}
    assert len({request.seed for request in model.asked}) == len(model.asked) == 9 + 4


def test_repeats_of_the_scripted_judge_scatter_around_its_exact_score(episodes):
    once = {v.episode_id: np.ravel(v.expected) for v in judged(episodes, ScriptedModel())}
    many = {v.episode_id: np.array(v.scores) for v in judged(episodes, ScriptedModel(), repeats=50)}
    for key, exact in once.items():
        assert set(np.unique(np.abs(many[key] - exact[:, None]) < 1)) == {True}
        assert many[key].mean(axis=1) == pytest.approx(exact, abs=0.3)  # four standard errors


def test_tokens_are_counted():
    usage = Usage()
    model = FakeModel(lambda request: ChatReply(request.key, "hm", "", 10, 4, 2))
    list(judged([own(30, 110, 40)], model, usage=usage, attempts=2))
    assert usage == Usage(40, 16, 8)
