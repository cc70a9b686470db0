import json

import numpy as np
import pytest
import torch

from emodistill.config import IQL
from emodistill.dataset.states import NO_EMOTION, STATE_NAMES
from emodistill.dataset.transitions import Transitions
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.policy.artefact import Normaliser, SelectorMeta, critics, load, probabilities, save, spread_of
from emodistill.policy.networks import Networks, Shape, inputs
from emodistill.tasks import StopFlag, TaskContext

from helpers import begun

STATES = np.stack([np.linspace(-1, 1, len(STATE_NAMES)), np.zeros(len(STATE_NAMES))]).astype(np.float32)
LAST = np.array([NO_EMOTION, 3])
NORMALISER = Normaliser((0.5,) * 9, (2.0,) * 9)


def meta(networks: Networks, beta: float = 3.0, unseen: int | None = None, **settings) -> SelectorMeta:
    seen = tuple(i != unseen for i in range(len(GOEMOTIONS)))
    return SelectorMeta.of(networks.shape, IQL(beta=beta, **settings), 12, NORMALISER, 1.0, (0.25, 0.1), seen, "f00d")


def test_states_are_normalised_exactly_however_many_there_are():
    states = np.full((480_000, 9), 0.3, np.float32)
    assert Normaliser.of(states)(states[:1]).abs().max() < 1e-4


@pytest.fixture
def networks() -> Networks:
    torch.manual_seed(0)
    return Networks(Shape(members=3, critics=2, policy=True, hidden=16)).eval()


def test_closed_form_is_the_softmax_of_the_members_mean_advantage_in_units_of_its_spread(networks):
    q = critics(networks, inputs(torch.from_numpy((STATES - 0.5) / 2), torch.from_numpy(LAST))).detach().numpy()
    assert q.shape == (3, 2, 28)
    logits = 3.0 * q.mean(0) / 0.25
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities(networks, meta(networks), STATES, LAST), expected, rtol=1e-4)


def test_awr_is_the_mean_of_the_members_policies(networks):
    found = probabilities(networks, meta(networks, extraction="awr"), STATES, LAST)
    alone = []
    for member in range(3):
        one = Networks(Shape(1, 2, True, 16))
        one.load_state_dict({name: weight[:, member, None] for name, weight in networks.state_dict().items()})
        alone.append(probabilities(one, meta(one, extraction="awr"), STATES, LAST))
    np.testing.assert_allclose(found, np.mean(alone, 0), rtol=1e-6)


def test_the_spread_is_over_emotions_within_states_and_the_disagreement_over_members(networks):
    x = inputs(NORMALISER(STATES), torch.from_numpy(LAST))
    q = critics(networks, x).detach().numpy()
    spread, disagreement = spread_of(networks, x)
    assert spread == pytest.approx(np.sqrt(q.var(-1).mean()), rel=1e-5)
    advantage = q - q.mean(-1, keepdims=True)
    assert disagreement == pytest.approx(np.sqrt(advantage.var(0).mean()) / spread, rel=1e-5)


def test_a_selector_names_the_signal_that_its_task_says(networks, tmp_path, monkeypatch):
    from emodistill.train import iql

    data = Transitions(STATES, LAST, LAST % 28, *[np.ones(2)] * 3, STATES, LAST, np.ones(2, bool), LAST)
    monkeypatch.setattr(iql, "load_transitions", lambda run, domain, signal: (data, data.judge_t))
    monkeypatch.setattr(iql, "optimise", lambda *_: networks)
    run = begun(tmp_path / "run")
    for task, signal in (("selector.judge", "judge"), ("selector", "outcome")):
        context = TaskContext("iql", task, {}, StopFlag(), None, None, "f00d")
        iql.train_iql(run, run.config(), context)
        assert load(run.path("iql", task))[1].signal == signal


@pytest.mark.parametrize("extraction", ["closed_form", "awr"])
def test_emotions_never_seen_in_training_are_never_chosen(networks, extraction):
    found = probabilities(networks, meta(networks, unseen=5, extraction=extraction), STATES, LAST)
    assert (found[:, 5] == 0).all()
    np.testing.assert_allclose(found.sum(1), 1)


def test_large_beta_is_greedy_and_zero_beta_uniform(networks):
    assert probabilities(networks, meta(networks, beta=1e6), STATES, LAST).max(1) == pytest.approx(1)
    np.testing.assert_allclose(probabilities(networks, meta(networks, beta=0.0), STATES, LAST), 1 / 28)


def test_the_artefact_loads_to_the_same_policy_and_holds_no_pickle(networks, tmp_path):
    made = meta(networks)
    weights, description = save(tmp_path, networks, made)
    again, found = load(tmp_path)
    assert found == made
    np.testing.assert_array_equal(
        probabilities(again, found, STATES, LAST), probabilities(networks, made, STATES, LAST)
    )
    assert weights.suffix == ".safetensors" and description.suffix == ".json"


def test_another_vocabulary_or_version_is_refused(networks, tmp_path):
    _, description = save(tmp_path, networks, meta(networks))
    raw = json.loads(description.read_text())
    for change, said in (
        ({"vocabulary": ["happiness", *GOEMOTIONS[1:]]}, r"another emotion vocabulary \(they differ in admiration, "),
        ({"vocabulary": GOEMOTIONS[::-1]}, "the same labels in another order"),
        ({"version": 1}, "has version 1, this program reads 2. Train it again"),
    ):
        description.write_text(json.dumps({**raw, **change}))
        with pytest.raises(BadInput, match=said):
            load(tmp_path)
