import numpy as np
import pytest

from emodistill.errors import BadInput
from emodistill.records import Dialogue, ScoredTurn
from emodistill.train.selection import advantage_turns, best_turns, richest, sampled


def dialogue(name: str, *judge: float, scenario: str = "crad-0000", ret: float = 0.0) -> Dialogue:
    turns = tuple(ScoredTurn(2 + 2 * k, "joy", r, r - 5.0, ret, r + ret / 2) for k, r in enumerate(judge))
    return Dialogue(name, scenario, (), turns)


def test_the_best_quarter_is_taken_in_each_domain_and_missing_scores_never_pass():
    found = best_turns(
        [
            dialogue("a", 9, 2, float("nan"), 3),
            dialogue("b", 8, 1, 1, 1, 1),
            dialogue("c", 2, 1, 1, 1, scenario="hospital-0000"),
        ],
        "judge",
        0.25,
    )
    assert found == {"a": {2: 1.0}, "b": {2: 1.0}, "c": {2: 1.0}}


def test_imported_ids_hold_dashes_and_are_still_of_one_domain():
    many = [dialogue(name, score, scenario=f"crad-sweep-{name}-corp") for name, score in (("a", 9), ("b", 2))]
    assert best_turns(many, "judge", 0.5) == {"a": {2: 1.0}}


def test_the_hybrid_signal_counts_half_the_return():
    found = best_turns([dialogue("a", 6, 6, ret=-2.0), dialogue("b", 5, 5, ret=2.0)], "hybrid", 0.5)
    assert set(found) == {"b"}


def test_jpo_weighs_turns_by_the_stored_judge_advantage_and_other_signals_by_their_own():
    pair = [dialogue("a", 7, float("nan"), ret=3.0), dialogue("b", 4, ret=1.0)]
    assert advantage_turns(pair, "judge") == {"a": {2: 2.0}, "b": {2: -1.0}}
    outcome = advantage_turns(pair, "outcome")
    assert set(outcome) == {"a", "b"}
    assert sum(w for weights in outcome.values() for w in weights.values()) == pytest.approx(0)
    with pytest.raises(BadInput, match=r"All advantages are zero or missing \(signal judge\)"):
        advantage_turns([dialogue("a", 5, 5)], "judge")


def test_a_cap_takes_from_every_scenario_in_turn():
    many = [dialogue(f"{s}{k}", *[5] * (k + 1), scenario=f"crad-000{s}") for s in range(3) for k in range(4)]
    chosen = {d.episode_id: {t.message: 1.0 for t in d.turns} for d in many}
    assert [d.episode_id for d in richest(many, chosen, 4)] == ["03", "13", "23", "02"]
    drawn = [sampled(many, chosen, 3, seed) for seed in range(40)]
    assert all([d.scenario_id for d in three] == ["crad-0000", "crad-0001", "crad-0002"] for three in drawn)
    lengths = [len(d.turns) for three in drawn for d in three]
    assert np.mean(lengths) == pytest.approx(2.5, abs=0.35)  # long dialogues are not favoured
    assert len(sampled(many, chosen, None, 0)) == 12
