from collections import Counter, defaultdict

import pytest

from emodistill.emotions import GOEMOTIONS, instruction
from emodistill.llm.base import ChatReply
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import fixed, no_emotion, random_emotion
from emodistill.records import Rules
from emodistill.rollout.engine import Usage, Voice, play
from emodistill.rollout.prompts import exchanged
from emodistill.seeds import seed_of

from builders import RULES, FakeModel, by_id, played, says, tasks


def scripted_answers(request):
    model = ScriptedModel()
    model.submit(request)
    return model.poll()[0]


@pytest.fixture(scope="module")
def reference():
    return by_id(played(tasks(12, 3), ScriptedModel(), random_emotion))


def test_scripted_episodes_alternate_show_emotions_and_end_in_several_ways(reference):
    assert len(reference) == 36
    assert {"agreement", "timeout"} <= {episode.status for episode in reference.values()}
    for episode in reference.values():
        assert [turn.index for turn in episode.turns] == list(range(len(episode.turns)))
        assert {(turn.seat, turn.index % 2, turn.emotion in GOEMOTIONS) for turn in episode.turns} <= {
            ("focal", 0, True),
            ("counterparty", 1, False),
        }
        assert (episode.agreed is not None) == (episode.status == "agreement") and episode.error == ""


@pytest.mark.parametrize("in_flight", [1, 5, 64])
@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.parametrize("order", [list, lambda todo: todo[::-1]], ids=["in order", "reversed"])
def test_episodes_do_not_depend_on_how_many_are_open_or_in_which_order(reference, in_flight, last_first, order):
    model = FakeModel(scripted_answers, last_first)
    assert by_id(played(order(tasks(12, 3)), model, random_emotion, in_flight=in_flight)) == reference
    assert model.most_open == min(in_flight, 36)


def test_another_episode_seed_gives_another_episode(reference):
    ends = {(episode.seed, tuple(turn.utterance for turn in episode.turns)) for episode in reference.values()}
    assert len(ends) == 36 == len({words for _, words in ends})


def test_seeds_are_those_of_the_episode_turn_and_attempt():
    model = FakeModel(says("Hello."))
    [task] = tasks(1)
    played([task], model, no_emotion, Rules(max_messages=3))
    assert [request.seed for request in model.asked] == [seed_of(task.seed, turn, 0) for turn in range(3)]


def test_a_conversation_without_an_end_times_out_at_max_messages():
    [episode] = played(tasks(1), FakeModel(says(" Hello.\n")), no_emotion, Rules(max_messages=7))
    assert (episode.status, episode.agreed, len(episode.turns)) == ("timeout", None, 7)
    assert {(turn.utterance, turn.raw) for turn in episode.turns} == {("Hello.", " Hello.\n")}


def test_three_empty_replies_end_in_an_error_that_keeps_the_reasons():
    seen = Counter()

    def answer(request):
        seen[request.key] += 1
        problem = {1: "slow", 4: "cut off", 5: "", 6: "too long"}.get(seen[request.key])
        if request.key != "crad-0001-r0" or problem is None:
            return ChatReply(request.key, "Hello.")
        return ChatReply(request.key, "  \n", error=problem)

    model = FakeModel(answer)
    episodes = by_id(played(tasks(3), model, no_emotion, Rules(max_messages=6)))
    bad = episodes.pop("crad-0001-r0")
    assert (bad.status, bad.agreed, bad.error) == ("error", None, "cut off; empty reply; too long")
    assert [turn.utterance for turn in bad.turns] == ["Hello."] * 2 and seen[bad.id] == 6
    assert [(e.status, len(e.turns), e.error) for e in episodes.values()] == [("timeout", 6, "")] * 2


def test_a_turn_recovers_after_two_empty_replies_every_time():
    attempts = Counter()

    def answer(request):
        turn = len(request.view.turns)
        attempts[turn] += 1
        return ChatReply(request.key, "Hello." if attempts[turn] == 3 else "")

    chosen = iter(("joy", "anger"))
    model = FakeModel(answer)
    [episode] = played(tasks(1), model, lambda scenario, turns, rng: next(chosen), Rules(max_messages=4))
    assert (episode.status, len(episode.turns), episode.error) == ("timeout", 4, "")
    assert attempts == {0: 3, 1: 3, 2: 3, 3: 3}
    assert len({request.seed for request in model.asked}) == 12
    for turn, emotion in enumerate(("joy", None, "anger", None)):  # chosen once, and recorded as it was shown
        assert {request.view.emotion for request in model.asked if len(request.view.turns) == turn} == {emotion}
        assert episode.turns[turn].emotion == emotion


def test_stop_drops_open_episodes_and_keeps_finished_ones_whole(reference):
    finished = []

    def stop():
        return len(finished) >= 5

    voice = Voice(ScriptedModel(), 0.7, 60)
    for episode in play(tasks(12, 3), voice, voice, random_emotion, RULES, 4, Usage(), stop):
        finished.append(episode)
    assert 5 <= len(finished) <= 8
    assert all(reference[episode.id] == episode for episode in finished)


def test_a_stop_before_the_start_asks_nothing():
    model = FakeModel(says("Hello."))
    assert played(tasks(2), model, no_emotion, stop=lambda: True) == [] and model.asked == []


def test_the_counterparty_is_shown_no_emotion_and_the_focal_side_its_own():
    model = FakeModel(scripted_answers)
    played(tasks(4), model, random_emotion)
    for request in model.asked:
        last = request.render()[-1][1]
        if request.view.seat == "counterparty":
            assert request.view.emotion is None and {turn.emotion for turn in request.view.turns} == {None}
            assert "[Show" not in str(request.render())
        else:
            assert last.endswith("\n" + instruction(request.view.emotion))


def test_a_counterparty_with_a_selector_sees_the_bargain_from_the_focal_seat_and_its_own_emotions_only():
    asked = []

    def answer(scenario, turns, seed):
        asked.append((scenario, turns))
        return "anger"

    model = FakeModel(scripted_answers)
    [episode] = played(tasks(1), model, fixed("joy"), answer=answer)
    assert [turn.emotion for turn in episode.turns[:4]] == ["joy", "anger"] * 2
    for request in model.asked:
        own, seat = ("joy", "focal") if request.view.seat == "focal" else ("anger", "counterparty")
        assert request.view.emotion == own and request.render()[-1][1].endswith(instruction(own))
        assert {(turn.seat, turn.emotion) for turn in request.view.turns if turn.emotion} <= {(seat, own)}
    [task] = tasks(1)
    for scenario, turns in asked:
        assert {turn.emotion for turn in turns if turn.seat == "counterparty"} == {None}
        assert (scenario.focal_target, scenario.counterparty_target) == (
            task.scenario.counterparty_target, task.scenario.focal_target
        )  # fmt: skip
        back = exchanged(scenario, turns)
        assert back[0] == task.scenario
        assert [turn.utterance for turn in back[1]] == [t.utterance for t in episode.turns[: len(turns)]]
        assert [turn.seat for turn in back[1]] == [t.seat for t in episode.turns[: len(turns)]]


@pytest.mark.parametrize("answer", [None, random_emotion], ids=["counterparty without", "counterparty with emotions"])
def test_the_prompts_of_an_episode_extend_each_other_for_each_seat(answer):
    model = FakeModel(scripted_answers, last_first=True)
    episodes = by_id(played(tasks(4, 2), model, random_emotion, answer=answer))
    chats = defaultdict(list)
    for request in model.asked:
        chats[request.key, request.view.seat].append(request.render())
    assert len(chats) == 16
    for (key, seat), prompts in chats.items():
        said = [turn.utterance for turn in episodes[key].turns if turn.seat == seat]
        assert len(said) == len(prompts)
        for before, words, after in zip(prompts, said, prompts[1:], strict=False):
            assert after[: len(before) + 1] == (*before, ("assistant", words))


def test_each_seat_speaks_with_its_own_model_and_sampling(tmp_path):
    focal, counterparty = FakeModel(says("Hello.")), FakeModel(says("Goodbye."))
    voices = Voice(focal, 0.1, 11, 0.5, tmp_path), Voice(counterparty, 0.9, 99)
    [episode] = play(tasks(1), *voices, no_emotion, Rules(max_messages=5), 8, Usage())
    assert [turn.utterance for turn in episode.turns] == ["Hello.", "Goodbye."] * 2 + ["Hello."]
    assert {(r.temperature, r.max_tokens, r.top_p, r.adapter) for r in focal.asked} == {(0.1, 11, 0.5, tmp_path)}
    assert {(r.temperature, r.max_tokens, r.top_p, r.adapter) for r in counterparty.asked} == {(0.9, 99, 1.0, None)}


def test_usage_counts_every_reply_also_the_empty_ones():
    model = FakeModel(lambda request: ChatReply(request.key, "", "", 100, 60, 7))
    usage, voice = Usage(), Voice(model, 0.7, 60)
    assert [e.status for e in play(tasks(2), voice, voice, no_emotion, RULES, 8, usage)] == ["error", "error"]
    assert usage == Usage(600, 360, 42)
