"""The emotion selector by Implicit Q-Learning (METHOD.md §5; Kostrikov, Nair, Levine 2022), twin Q (ours)."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from emodistill.config import Config
from emodistill.dataset.transitions import Transitions
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.policy.artefact import SelectorMeta, save
from emodistill.policy.networks import Networks
from emodistill.runs import RunDir
from emodistill.seeds import seed_of
from emodistill.shards import read_table
from emodistill.tasks import Result, TaskContext
from emodistill.train.deepspeed_config import deepspeed_config
from emodistill.train.engine import Engine, MicroLoss, Plan
from emodistill.train.losses import bellman_loss, expectile_loss


class Losses(torch.nn.Module):
    """Online networks and their target; forward gives the two losses of a batch."""

    def __init__(self, networks: Networks, tau: float, gamma: float) -> None:
        super().__init__()
        self.networks, self._tau, self._gamma = networks, tau, gamma
        self._target = [Networks(1)]  # in a list: not a submodule, so not trained; filled by `track`
        self.track(networks, None)

    @torch.no_grad()
    def track(self, online: Networks, polyak: float | None) -> None:
        """Move the target towards the online networks; None copies them."""
        if polyak is None:
            import copy

            self._target[0] = copy.deepcopy(online).requires_grad_(False)
            return
        ours, theirs = list(self._target[0].parameters()), list(online.parameters())
        torch._foreach_lerp_(ours, theirs, polyak)

    @property
    def target(self) -> Networks:
        """The slow copy that V is regressed on."""
        return self._target[0]

    def forward(
        self, s_tm1: Tensor, last_tm1: Tensor, a_tm1: Tensor, r_t: Tensor, s_t: Tensor, last_t: Tensor, done_t: Tensor
    ) -> Tensor:
        """[V loss, Q loss]: float32 [2]. Q is the sum over the twins."""
        index = a_tm1[:, None]
        with torch.no_grad():
            slow = torch.minimum(self.target.q1(s_tm1, last_tm1), self.target.q2(s_tm1, last_tm1)).gather(1, index)[
                :, 0
            ]
            v_t = self.networks.v(s_t, last_t)
        v_loss = expectile_loss(slow - self.networks.v(s_tm1, last_tm1), self._tau)
        q_loss = sum(
            bellman_loss(q(s_tm1, last_tm1).gather(1, index)[:, 0], r_t, done_t, v_t, self._gamma)
            for q in (self.networks.q1, self.networks.q2)
        )
        return torch.stack([v_loss, q_loss])


def train_iql(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Train the run's selector on its transitions."""
    settings = config.iql
    if deepspeed_config(settings.deepspeed, settings.clip, bf16=False)["zero_optimization"]["stage"] == 3:
        raise BadInput(
            "iql.deepspeed: the selector's networks are too small to be cut up by ZeRO 3. Choose zero0 to zero2."
        )
    data, rewards = load_transitions(run, config)
    mean, scale = data.s_tm1.mean(0), np.maximum(data.s_tm1.std(0), 1e-3)
    reward_scale = max(float(np.abs(rewards).max()), 1e-9)
    columns = [
        torch.from_numpy(column)
        for column in (
            (data.s_tm1 - mean) / scale, data.last_tm1, data.a_tm1, (rewards / reward_scale).astype(np.float32),
            (data.s_t - mean) / scale, data.last_t, data.done_t.astype(np.float32),
        )
    ]  # fmt: skip
    seed = seed_of(config.seed, "iql")
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the networks are too small for several threads to pay
    networks = Networks(settings.hidden)
    losses_of = Losses(networks, settings.tau, settings.gamma)
    plan = Plan(
        settings.steps, settings.learning_rate, settings.clip, settings.deepspeed, settings.checkpoint_every, seed
    )
    engine = Engine(losses_of, plan, run.path("iql", context.task), torch.optim.Adam)
    columns = [column.to(engine.device) for column in columns]
    losses_of.target.to(engine.device)

    def losses(step: int) -> Iterator[MicroLoss]:
        batch = np.random.default_rng((seed, step)).integers(len(rewards), size=settings.batch)
        rows = torch.from_numpy(batch[engine.rank :: engine.world])
        share = len(rows) / len(batch)
        v_loss, q_loss = engine(*(column[rows] for column in columns))
        loss = share * (v_loss + q_loss)
        metrics = {"loss": loss.item(), "v_loss": share * v_loss.item(), "q_loss": share * q_loss.item()}
        yield loss, metrics, True

    engine.train(
        losses, context.stop, context.progress,
        state=lambda: {"target": losses_of.target.state_dict()},
        load_state=lambda state: losses_of.target.load_state_dict(state["target"]) and None,
        after_step=lambda: losses_of.track(networks, settings.polyak),
        log_every=settings.log_every,
    )  # fmt: skip
    seen = np.bincount(data.a_tm1, minlength=len(GOEMOTIONS)) > 0
    meta = SelectorMeta(settings.hidden, settings.beta, config.negotiation.max_messages, tuple(mean.tolist()),
                        tuple(scale.tolist()), reward_scale, GOEMOTIONS, tuple(seen.tolist()))  # fmt: skip
    folder = run.path("iql", context.task)
    return Result(rows=len(rewards), files=[*save(folder, networks, meta), folder / "metrics.jsonl"])


def load_transitions(run: RunDir, config: Config) -> tuple[Transitions, np.ndarray]:
    """The run's transitions and the configured reward signal; rows without a score are left out."""
    data = Transitions(**read_table(run.path("dataset", "transitions.h5")))
    rewards = {"outcome": data.outcome_t, "judge": data.judge_t, "hybrid": data.hybrid_t}[config.iql.signal]
    rows = ~np.isnan(rewards)
    if not rows.any():
        raise BadInput(
            f"No transition has a score for iql.signal {config.iql.signal}. "
            "Judge the sweep again, or choose the signal outcome."
        )
    return Transitions(**{name: column[rows] for name, column in data.columns().items()}), rewards[rows]
