"""The emotion selector by Implicit Q-Learning (METHOD.md §5; Kostrikov, Nair, Levine 2022).

Ours: an ensemble trained at once, and twin Q.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emodistill.config import IQL, Config, Signal
from emodistill.dataset.transitions import Transitions, stored_transitions, take
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.models import computes_in_bfloat16
from emodistill.policy.artefact import Normaliser, SelectorMeta, save, spread_of
from emodistill.policy.networks import Networks, Shape, inputs
from emodistill.recipes import SelectorRecipe
from emodistill.runs import RunDir
from emodistill.seeds import seed_of
from emodistill.tasks import Result, TaskContext
from emodistill.train.deepspeed_config import deepspeed_config
from emodistill.train.engine import Engine, MicroLoss, Plan
from emodistill.train.objective import LOSSES, Objective


@dataclass(frozen=True, slots=True)
class Prepared:
    """Transitions as the networks take them, n rows. Rewards are in units of `reward_scale`."""

    columns: tuple[Tensor, ...]  # x_tm1 [n, INPUTS], a_tm1 [n], r_t [n], x_t [n, INPUTS], done_t [n]
    normaliser: Normaliser
    reward_scale: float
    seen: tuple[bool, ...]  # [28]


def prepare(data: Transitions, rewards: np.ndarray) -> Prepared:
    """Normalise states by their mean and deviation, rewards by max|r|; `BadInput` if all rewards are 0."""
    reward_scale = float(np.abs(rewards).max())
    if reward_scale == 0:
        raise BadInput("All rewards of iql.signal are zero: there is nothing to learn. Choose another signal.")
    normaliser = Normaliser.of(data.s_tm1)
    columns = (
        inputs(normaliser(data.s_tm1), torch.from_numpy(data.last_tm1)),
        torch.from_numpy(data.a_tm1),
        torch.from_numpy((rewards / reward_scale).astype(np.float32)),
        inputs(normaliser(data.s_t), torch.from_numpy(data.last_t)),
        torch.from_numpy(data.done_t.astype(np.float32)),
    )
    seen = np.bincount(data.a_tm1, minlength=len(GOEMOTIONS)) > 0
    return Prepared(columns, normaliser, reward_scale, tuple(seen.tolist()))


def train_iql(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Train one of the run's selectors, as the task's name says."""
    folder, recipe = run.path("iql", context.task), SelectorRecipe.of(context.task)
    settings = config.iql.model_copy(update={"signal": recipe.signal or config.iql.signal})
    if deepspeed_config(settings.deepspeed, 0.0, bf16=False)["zero_optimization"]["stage"] == 3:
        raise BadInput(
            "iql.deepspeed: the selector's networks are too small to be cut up by ZeRO 3. Choose zero0 to zero2."
        )
    data, rewards = load_transitions(run, recipe.domain, settings.signal)
    prepared = prepare(data, rewards)
    networks = optimise(prepared, settings, seed_of(config.seed, "iql"), folder, context)
    meta = SelectorMeta.of(networks.shape, settings, config.negotiation.max_messages, prepared.normaliser,
                           prepared.reward_scale, spread_of(networks, prepared.columns[0]), prepared.seen,
                           context.fingerprint)  # fmt: skip
    return Result(rows=len(rewards), files=[*save(folder, networks, meta), folder / "metrics.jsonl"])


def optimise(prepared: Prepared, settings: IQL, seed: int, folder: Path, context: TaskContext) -> Networks:
    """Train an ensemble on DeepSpeed. The step chooses the batches, so a resumed run repeats the uninterrupted one."""
    torch.manual_seed(seed)
    bf16 = computes_in_bfloat16(settings.precision)
    networks = Networks(Shape(settings.ensemble, settings.critics, settings.extraction == "awr", settings.hidden))
    objective = Objective(networks, settings.tau, settings.gamma, settings.beta, settings.clip, bf16)
    plan = Plan(
        steps=settings.steps, learning_rate=settings.learning_rate, clip=0.0, deepspeed=settings.deepspeed,
        checkpoint_every=settings.checkpoint_every, seed=seed, bf16=bf16, casts_itself=True,
    )  # fmt: skip  # the objective clips
    engine = Engine(objective, plan, folder, partial(torch.optim.Adam, fused=True))
    x_tm1, a_tm1, r_t, x_t, done_t = (column.to(engine.device) for column in prepared.columns)
    columns = (x_tm1.to(objective.dtype), a_tm1, r_t, x_t.to(objective.dtype), done_t)
    objective.target = [weight.to(engine.device) for weight in objective.target]

    def losses(step: int) -> Iterator[MicroLoss]:
        size = (settings.ensemble, settings.batch)
        batch = np.random.default_rng((seed, step)).integers(len(a_tm1), size=size)
        rows = torch.from_numpy(batch[:, engine.rank :: engine.world]).to(engine.device)
        share = rows.shape[1] / settings.batch
        taken = (column.index_select(0, rows.flatten()).unflatten(0, rows.shape) for column in columns)
        parts = share * engine(*taken)  # [3, members]
        means = dict(zip(LOSSES, parts.detach().mean(1).tolist(), strict=True))
        yield parts.sum(), {"loss": sum(means.values()), **means}, True

    def restore(state: dict[str, list[Tensor]]) -> None:
        objective.target = [weight.to(engine.device) for weight in state["target"]]

    engine.train(
        losses, context.stop, context.progress,
        state=lambda: {"target": objective.target},
        load_state=restore,
        after_step=lambda: objective.track(settings.polyak),
        log_every=settings.log_every,
    )  # fmt: skip
    return networks


def load_transitions(run: RunDir, domain: str | None, signal: Signal) -> tuple[Transitions, np.ndarray]:
    """The run's transitions, of one domain or all, and the rewards of a signal; unscored rows are left out."""
    data = stored_transitions(run)
    if domain is not None:
        of = np.array([scenario.domain == domain for scenario in run.scenarios().values()])
        data = take(data, of[data.scenario])
        if not len(data.a_tm1):
            raise BadInput(
                f"There is no transition of the domain {domain}: its rollouts all failed or are missing. "
                "Sweep it again, or train one selector for all domains (iql.per_domain: false)."
            )
    rewards = {"outcome": data.outcome_t, "judge": data.judge_t, "hybrid": data.hybrid_t}[signal]
    rows = ~np.isnan(rewards)
    if not rows.any():
        raise BadInput(
            f"No transition has a score for the signal {signal} (iql.signal). "
            "Judge the sweep again, or choose the signal outcome."
        )
    return take(data, rows), rewards[rows]
