import numpy as np
import pytest
import torch

from emodistill.policy.networks import ACTIONS, Networks, Shape, dueling, inputs, outputs
from emodistill.train.losses import AWR_CLIP, awr_loss
from emodistill.train.objective import Objective

GAMMA = 0.9


def test_awr_weighs_log_probabilities_by_the_clipped_exponential_of_the_advantage():
    log_policy = torch.tensor([-1.0, -2.0], requires_grad=True)
    loss = awr_loss(log_policy, torch.tensor([1.0, 50.0]), 2.0)
    assert loss.item() == pytest.approx((np.exp(2) * 1 + AWR_CLIP * 2) / 2, rel=1e-6)
    loss.backward()
    assert log_policy.grad.tolist() == pytest.approx([-np.exp(2) / 2, -AWR_CLIP / 2], rel=1e-6)


def plain_net(networks: Networks, net: int, member: int) -> torch.nn.Sequential:
    """The same network out of torch's own layers."""
    hidden, norm = networks.shape.hidden, {"elementwise_affine": False}
    first, second = (torch.nn.Linear(size, hidden) for size in (9 + ACTIONS, hidden))
    head = torch.nn.Linear(hidden, 1 + ACTIONS)
    taken = [weight[net, member].detach() for weight in networks.weights()]
    with torch.no_grad():
        first.weight[:], first.bias[:] = taken[0][:-1].T, taken[0][-1]
        second.weight[:], second.bias[:] = taken[1].T, taken[2][0]
        head.weight[:], head.bias[:] = taken[3].T, taken[4][0]
    layers = (first, torch.nn.LayerNorm(hidden, **norm), torch.nn.ReLU(), second, torch.nn.LayerNorm(hidden, **norm))
    return torch.nn.Sequential(*layers, torch.nn.ReLU(), head)


def batch(members: int, n: int):
    state, last = torch.randn(members * n, 9), torch.randint(0, ACTIONS + 1, (members * n,))
    x = inputs(state, last).view(members, n, -1)
    return x, torch.randint(0, ACTIONS, (members, n)), torch.randn(members, n), x.flip(1), torch.zeros(members, n)


def test_one_batched_pass_has_the_outputs_and_clipped_gradients_of_separate_nets_and_optimisers():
    torch.manual_seed(0)
    shape, clip = Shape(members=3, critics=2, policy=True, hidden=16), 0.3
    networks = Networks(shape)
    x, a, r, x2, done = batch(3, 20)
    Objective(networks, 0.7, GAMMA, 3.0, clip)(x, a, r, x2, done).sum().backward()
    out = outputs(networks.weights(), x)
    for member in range(3):
        nets = [plain_net(networks, net, member) for net in range(shape.nets)]
        said = [net(x[member][:, :-1]) for net in nets]
        for net in range(shape.nets):
            torch.testing.assert_close(out[net, member], said[net])
        slow = torch.minimum(*(dueling(q.detach()) for q in said[:2])).gather(1, a[member][:, None])[:, 0]
        over = slow - said[2][:, 0]
        target = r[member] + GAMMA * nets[2](x2[member][:, :-1])[:, 0].detach()
        losses = [(dueling(q).gather(1, a[member][:, None])[:, 0] - target).square().mean() for q in said[:2]]
        losses.append((torch.where(over < 0, 0.3, 0.7) * over.square()).mean())
        weight = (3 * over.detach()).exp().clamp(max=100)
        losses.append(-(weight * said[3][:, 1:].log_softmax(-1).gather(1, a[member][:, None])[:, 0]).mean())
        for net, loss in enumerate(losses):
            loss.backward()
            parameters = list(nets[net].parameters())
            torch.nn.utils.clip_grad_norm_(parameters, clip)
            found = [weight.grad[net, member] for weight in networks.weights()]
            torch.testing.assert_close(found[1], parameters[2].grad.T, rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(found[0][:-1], parameters[0].grad.T, rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(found[3], parameters[4].grad.T, rtol=1e-4, atol=1e-6)


def test_bfloat16_products_give_float32_losses_and_gradients_that_point_the_same_way():
    torch.manual_seed(1)
    networks, rows = Networks(Shape(members=2, critics=2, policy=False, hidden=64)), batch(2, 256)
    found = []
    for bf16 in (False, True):
        networks.zero_grad()
        losses = Objective(networks, 0.7, GAMMA, 3.0, 1.0, bf16)(*rows)
        losses.sum().backward()
        found.append((losses.detach(), torch.cat([weight.grad.flatten() for weight in networks.weights()])))
    (exact, gradient), (rounded, other) = found
    assert rounded.dtype == other.dtype == torch.float32 and not torch.equal(exact, rounded)
    torch.testing.assert_close(rounded, exact, rtol=0.02, atol=1e-3)
    assert torch.cosine_similarity(gradient, other, dim=0) > 0.999


def test_the_slow_critics_move_by_the_polyak_share():
    networks = Networks(Shape(2, 2, False, 8))
    objective = Objective(networks, 0.7, GAMMA, 3.0, 1.0)
    before = [weight.clone() for weight in objective.target]
    with torch.no_grad():
        for weight in networks.weights():
            weight += 1
    objective.track(0.25)
    for old, new in zip(before, objective.target, strict=True):
        torch.testing.assert_close(new, old + 0.25)


# A chain of 3 states. In each the data hold some emotions with some frequencies; what an emotion brings is certain.
SHOWN = {0: {0: (0.5, 1), 1: (0.5, 2)}, 1: {2: (0.75, 2), 3: (0.25, None)}, 2: {0: (0.5, None), 4: (0.5, None)}}
REWARD = {(0, 0): 0.0, (0, 1): -0.2, (1, 2): 0.1, (1, 3): 0.6, (2, 0): 1.0, (2, 4): -1.0}


def exact(tau: float) -> tuple[np.ndarray, dict[tuple[int, int], float]]:
    """In-sample V and Q: V is the τ-expectile of Q over the emotions shown in a state."""
    value, q = np.zeros(3), {}
    for state in (2, 1, 0):
        for emotion, (_, after) in SHOWN[state].items():
            q[state, emotion] = REWARD[state, emotion] + (0.0 if after is None else GAMMA * value[after])
        low, high = -5.0, 5.0
        for _ in range(60):
            middle = (low + high) / 2
            pull = sum(
                p * (tau if q[state, e] > middle else 1 - tau) * (q[state, e] - middle)
                for e, (p, _) in SHOWN[state].items()
            )
            low, high = (middle, high) if pull > 0 else (low, middle)
        value[state] = low
    return value, q


@pytest.mark.parametrize("tau", [0.5, 0.7, 0.95])
def test_on_a_tabular_problem_v_and_q_are_the_exact_in_sample_values(tau):
    torch.manual_seed(0)
    rows = [(s, e, after) for s in SHOWN for e, (p, after) in SHOWN[s].items() for _ in range(int(4 * p))]
    one_hot = 3 * torch.eye(3, 9)
    x = inputs(one_hot[[s for s, _, _ in rows]], torch.full((len(rows),), ACTIONS))[None].repeat(2, 1, 1)
    x2 = inputs(one_hot[[after or 0 for _, _, after in rows]], torch.full((len(rows),), ACTIONS))[None].repeat(2, 1, 1)
    a = torch.tensor([e for _, e, _ in rows]).repeat(2, 1)
    r = torch.tensor([REWARD[s, e] for s, e, _ in rows]).repeat(2, 1)
    done = torch.tensor([float(after is None) for _, _, after in rows]).repeat(2, 1)
    networks = Networks(Shape(members=2, critics=2, policy=False, hidden=32))
    objective = Objective(networks, tau, GAMMA, 3.0, 10.0)
    optimiser = torch.optim.Adam(networks.parameters(), lr=2e-3)
    for _ in range(1500):
        optimiser.zero_grad()
        objective(x, a, r, x2, done).sum().backward()
        optimiser.step()
        objective.track(0.05)
    value, q = exact(tau)
    out = outputs(networks.weights(), x).detach()
    for row, (s, e, _) in enumerate(rows):
        assert out[2, :, row, 0].numpy() == pytest.approx(value[s], abs=0.02)
        assert dueling(out[:2])[..., row, e].numpy() == pytest.approx(q[s, e], abs=0.02)


def test_half_the_expectile_is_the_behaviour_s_value_and_a_high_one_the_best_that_was_shown():
    behaviour, _ = exact(0.5)
    assert behaviour[1] == pytest.approx(0.75 * 0.1 + 0.25 * 0.6)
    assert behaviour[2] == pytest.approx(0.0)
    best, _ = exact(1 - 1e-9)
    assert best == pytest.approx([GAMMA * 1.0, 0.1 + GAMMA * 1.0, 1.0], abs=1e-4)
