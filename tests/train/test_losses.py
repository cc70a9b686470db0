import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from emodistill.train.losses import bellman_loss, expectile_loss, jpo_terms

finite = st.floats(-3, 3, allow_nan=False, width=32)


def terms(delta, response, advantage, kappa=1.0, epsilon=0.2, ratio="sequence"):
    logp = torch.tensor(delta, requires_grad=True)
    return logp, jpo_terms(
        logp, torch.zeros(len(delta)), torch.tensor(response), torch.tensor(advantage), kappa, epsilon, ratio
    )


def test_expectile_weighs_underestimates_with_tau():
    assert expectile_loss(torch.tensor([2.0, -2.0]), 0.7).item() == pytest.approx((0.7 * 4 + 0.3 * 4) / 2)
    members = expectile_loss(torch.tensor([[0.5, -2.0], [0.0, 3.0]]), 0.7)  # one loss for each of the ensemble
    assert members.tolist() == pytest.approx([(0.7 * 0.25 + 0.3 * 4) / 2, 0.7 * 9 / 2])


def test_half_expectile_is_half_the_mse():
    u = torch.linspace(-2, 3, 11)
    assert expectile_loss(u, 0.5).item() == pytest.approx(0.5 * u.square().mean().item())


def test_bellman_target_stops_at_done_and_gives_v_no_gradient():
    v = torch.tensor([10.0, 10.0], requires_grad=True)
    q = torch.tensor([[2.0, 3.0], [0.0, 1.0]], requires_grad=True)
    loss = bellman_loss(q, torch.tensor([1.0, 1.0]), torch.tensor([0.0, 1.0]), v, 0.9)
    loss.sum().backward()
    assert loss.tolist() == pytest.approx([((2 - 10) ** 2 + (3 - 1) ** 2) / 2, 10**2 / 2])
    assert v.grad is None


def test_step_zero_has_unit_ratio_no_kl_and_the_advantage_weighted_score():
    advantage = [2.0, -1.0]
    logp, t = terms([0.0, 0.0, 0.0], [0, 0, 1], advantage)
    assert (t.surrogate.item(), t.kl.item(), t.clipped.item()) == (1.0, 0.0, 0)
    (t.surrogate + t.kl).backward()
    assert logp.grad.tolist() == [1.0, 1.0, -1.0]  # A / response length


def test_ratio_is_the_exponential_of_the_mean_token_difference():
    _, t = terms([0.1, 0.0, 0.06], [0, 0, 1], [1.0, 1.0])
    assert t.surrogate.item() == pytest.approx(math.exp(0.05) + math.exp(0.06))


@pytest.mark.parametrize(
    "delta, advantage, clipped, surrogate",
    [
        (0.5, 1.0, 1, 1.2),
        (-0.5, 1.0, 0, math.exp(-0.5)),
        (-0.5, -1.0, 1, -0.8),
        (0.5, -1.0, 0, -math.exp(0.5)),
    ],
)
def test_the_clip_removes_the_gradient_only_where_it_would_go_too_far(delta, advantage, clipped, surrogate):
    logp, t = terms([delta], [0], [advantage])
    t.surrogate.backward()
    assert t.surrogate.item() == pytest.approx(surrogate)
    assert t.clipped.item() == clipped == (logp.grad.item() == 0)


def test_kappa_scales_only_negative_advantages():
    assert terms([0.0, 0.0], [0, 1], [2.0, -4.0], kappa=0.25)[1].surrogate.item() == 1.0
    assert terms([0.0, 0.0], [0, 1], [2.0, -4.0], kappa=0.0)[1].surrogate.item() == 2.0


@settings(deadline=None)
@given(st.lists(finite, min_size=1, max_size=20))
def test_k3_is_never_negative(delta):
    assert terms(delta, [0] * len(delta), [1.0])[1].kl.item() >= -1e-5


@settings(deadline=None)
@given(
    st.lists(st.tuples(finite, st.integers(0, 2)), min_size=1, max_size=12), st.lists(finite, min_size=3, max_size=3)
)
def test_terms_equal_a_plain_loop_over_responses(tokens, advantage):
    present = sorted({r for _, r in tokens})
    index = {r: i for i, r in enumerate(present)}
    weights = [advantage[r] for r in present]
    _, t = terms([d for d, _ in tokens], [index[r] for _, r in tokens], weights, kappa=0.5)
    expected = 0.0
    for r, a in zip(present, weights, strict=True):
        rho = math.exp(np.mean([d for d, other in tokens if other == r]))
        shaped = a if a > 0 else 0.5 * a
        expected += min(rho * shaped, min(max(rho, 0.8), 1.2) * shaped)
    assert t.surrogate.item() == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_token_ratios_are_clipped_each_for_itself_and_averaged_over_the_response():
    delta = [0.5, 0.1, -0.1]
    logp, t = terms(delta, [0, 0, 1], [1.0, -2.0], ratio="token")
    t.surrogate.backward()
    assert t.surrogate.item() == pytest.approx((1.2 + math.exp(0.1)) / 2 - 2 * math.exp(-0.1))
    assert t.clipped.item() == 0.5  # one of the first response's two tokens
    assert logp.grad.tolist() == pytest.approx([0.0, math.exp(0.1) / 2, -2 * math.exp(-0.1)])


def test_both_ratios_are_the_same_for_one_token_and_at_step_zero():
    for delta, response in (([0.3, -0.4], [0, 1]), ([0.0] * 5, [0, 0, 0, 1, 1])):
        found = []
        for ratio in ("sequence", "token"):
            logp, t = terms(delta, response, [1.5, -1.0], kappa=0.5, ratio=ratio)
            t.surrogate.backward()
            found.append([t.surrogate.item(), *logp.grad.tolist()])
        assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize("ratio", ["sequence", "token"])
@pytest.mark.parametrize("kappa", [0.0, 0.4, 1.0])
def test_the_gradient_is_autograds_of_the_written_formula(ratio, kappa):
    generator = torch.Generator().manual_seed(3)
    response = torch.tensor([0, 0, 0, 1, 2, 2, 3, 3])
    logp, reference = (torch.randn(8, generator=generator, dtype=torch.float64).mul(0.3) for _ in range(2))
    advantage = torch.tensor([1.0, -1.5, -0.5, 2.0], dtype=torch.float64)
    epsilon, beta = 0.2, 0.04
    logp.requires_grad_()
    total = 0.0
    for k, a in enumerate(advantage.tolist()):
        delta = logp[response == k] - reference[response == k]
        shaped = a if a > 0 else kappa * a
        rho = delta.mean().exp()[None] if ratio == "sequence" else delta.exp()
        low_high = torch.clamp(rho, 1 - epsilon, 1 + epsilon)
        total = total - torch.minimum(rho * shaped, low_high * shaped).mean() / 4
    every = logp - reference
    total = total + beta * (torch.exp(-every) + every - 1).mean()
    (expected,) = torch.autograd.grad(total, logp)
    t = jpo_terms(logp, reference, response, advantage, kappa, epsilon, ratio)
    loss = beta * t.kl / 8 - t.surrogate / 4
    (found,) = torch.autograd.grad(loss, logp)
    assert loss.item() == pytest.approx(total.item())
    torch.testing.assert_close(found, expected)
