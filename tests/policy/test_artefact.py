import numpy as np
import pytest
import torch

from emodistill.dataset.states import NO_EMOTION, STATE_NAMES
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.policy.artefact import SelectorMeta, load, probabilities, save
from emodistill.policy.networks import Networks

STATE = np.linspace(-1, 1, len(STATE_NAMES)).astype(np.float32)


def meta(beta: float = 3.0, vocabulary=GOEMOTIONS, unseen: int | None = None) -> SelectorMeta:
    seen = tuple(i != unseen for i in range(len(GOEMOTIONS)))
    return SelectorMeta(16, beta, 12, (0.5,) * 9, (2.0,) * 9, 1.0, vocabulary, seen)


@pytest.fixture
def networks() -> Networks:
    torch.manual_seed(0)
    return Networks(16).eval()


def test_the_policy_is_the_softmax_of_beta_times_the_twin_minimum_advantage(networks):
    with torch.no_grad():
        s, e = (torch.from_numpy(STATE)[None] - 0.5) / 2.0, torch.tensor([NO_EMOTION])
        q = np.minimum(networks.q1(s, e)[0].numpy(), networks.q2(s, e)[0].numpy())
        advantage = q.astype(np.float64) - networks.v(s, e).item()
    expected = np.exp(3.0 * advantage) / np.exp(3.0 * advantage).sum()
    np.testing.assert_allclose(probabilities(networks, meta(), STATE, NO_EMOTION), expected, rtol=1e-4)


def test_emotions_never_seen_in_training_are_never_chosen(networks):
    found = probabilities(networks, meta(unseen=5), STATE, NO_EMOTION)
    assert found[5] == 0
    assert found.sum() == pytest.approx(1)


def test_large_beta_is_greedy_and_zero_beta_uniform(networks):
    assert probabilities(networks, meta(beta=1e6), STATE, 3).max() == pytest.approx(1)
    np.testing.assert_allclose(probabilities(networks, meta(beta=0.0), STATE, 3), 1 / 28)


def test_the_artefact_loads_to_the_same_policy_and_holds_no_pickle(networks, tmp_path):
    weights, description = save(tmp_path, networks, meta())
    again, found = load(tmp_path)
    assert found == meta()
    np.testing.assert_array_equal(probabilities(again, found, STATE, 3), probabilities(networks, meta(), STATE, 3))
    assert weights.suffix == ".safetensors" and description.suffix == ".json"


def test_another_vocabulary_is_refused(networks, tmp_path):
    save(tmp_path, networks, meta(vocabulary=("joy", "anger")))
    with pytest.raises(BadInput, match="another emotion vocabulary"):
        load(tmp_path)
