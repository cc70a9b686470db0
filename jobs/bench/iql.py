"""Seed-updates a second: the ensemble as the iql stage trains it, a plain loop, and the machine's matrix product.

Both arms: one dueling Q, V and policy of two hidden layers of 256, batch 256, Adam, clipping net by net, the slow
critic, logging. Ours is the whole training path (DeepSpeed engine, ensemble of 8, logging every 100 steps), timed
between its steps, without start and checkpoints; the plain loop is timed with one and with two threads and its better
one counts. FLOPs are those of the matrix products an update needs: Q, V and policy forward and backward on s, the slow
Q on s, V on s'; ours computes no fewer. Ours and the limit are in
bfloat16 where the hardware multiplies it (`iql.precision`), the plain loop in float32.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emodistill.config import IQL, Scenarios
from emodistill.dataset.transitions import Transitions
from emodistill.domains import build_scenarios
from emodistill.llm import ModelPool
from emodistill.models import computes_in_bfloat16
from emodistill.policy.artefact import SelectorMeta, save, spread_of
from emodistill.policy.networks import Networks, Shape
from emodistill.policy.selectors import trained
from emodistill.records import Scenario
from emodistill.rollout.sweep import episode_tasks
from emodistill.tasks import StopFlag, TaskContext
from emodistill.train.iql import Prepared, optimise, prepare
from jobs.bench import Measured
from jobs.bench.plain import Plain
from jobs.bench.selector import RULES, SEED, TRAIN, returns_of
from jobs.bench.sweeps import sweep

ROUNDS, MEMBERS, WARM, TIMED, ROLLOUTS = 4, 8, 10, 40, 20
LEARN, JUDGED, PLAY_SEEDS, T_95 = 1000, 3, 24, 2.78  # t of 4 degrees of freedom
GAP = "return of ours minus the plain loop's, with its 95 % interval"
SETTINGS = IQL(critics=1, extraction="awr", ensemble=MEMBERS, steps=WARM + TIMED)


def run() -> Measured:
    """Both arms and the limit in turn, best of the rounds; then what both have learnt after as many updates."""
    scenarios = build_scenarios(Scenarios(domains=("crad",)), SEED)
    data = sweep(scenarios[:TRAIN], ROLLOUTS, RULES, SEED)
    prepared = prepare(data, data.outcome_t)
    columns = _plain_columns(data, prepared)
    arms: dict[str, Callable[[], float]] = {
        "ours": lambda: _ours(prepared),
        "plain loop, 1 thread": lambda: _with_threads(1, lambda: _plain(columns)),
        "plain loop, all threads": lambda: _with_threads(torch.get_num_threads(), lambda: _plain(columns)),
        "GFLOP/s of the matrix product": _limit,
    }
    best = dict.fromkeys(arms, 0.0)
    for _ in range(ROUNDS):
        for name, arm in arms.items():
            best[name] = max(best[name], arm())
    plain = max(value for name, value in best.items() if name.startswith("plain"))
    needed = flop_an_update()
    share = best["ours"] * needed / 1e9 / best["GFLOP/s of the matrix product"]
    quality = _quality(prepared, columns, scenarios[TRAIN:])
    figures = {
        **{f"{name}{'' if 'GFLOP' in name else ', seed-updates/s'}": round(value, 1) for name, value in best.items()},
        "MFLOP of a seed-update": round(needed / 1e6, 1),
        "ours over the plain loop": round(best["ours"] / plain, 2),
        "share of the matrix product's limit": round(share, 3),
        **quality,
    }
    _, low, high = quality[GAP]
    return Measured(
        figures,
        {"speed": "at least 4 times the plain loop", "limit": "at least 60 % of the matrix product's rate",
         "quality": "the difference's interval holds 0"},
        {"speed": best["ours"] >= 4 * plain, "limit": share >= 0.6, "quality": low <= 0 <= high},
    )  # fmt: skip


def flop_an_update() -> float:
    """Of the matrix products of one seed's update; a multiplication and an addition are two."""
    n, hidden, state, actions = SETTINGS.batch, SETTINGS.hidden, 37, 28
    first, second = state * hidden, hidden * hidden
    heads = {"q": hidden * (1 + actions), "v": hidden, "policy": hidden * actions}
    trained_nets = sum(3 * (first + second + head) - first for head in heads.values())  # no gradient of the input
    return 2.0 * n * (trained_nets + 2 * (first + second) + heads["q"] + heads["v"])


def _ours(prepared: Prepared) -> float:
    times: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        optimise(prepared, SETTINGS, SEED, Path(name), _context(lambda *_: times.append(time.perf_counter())))
    return MEMBERS * (TIMED - 1) / (times[-2] - times[WARM - 1])  # the last step also writes a checkpoint


def _context(progress: Callable[[int, int], None]) -> TaskContext:
    return TaskContext("iql", "selector", {}, StopFlag(), ModelPool(), progress, "bench")


def _plain(columns: tuple[Tensor, ...]) -> float:
    loop = Plain(columns, SETTINGS, SEED)
    for _ in range(WARM):
        loop.step()
    start = time.perf_counter()
    for _ in range(2 * TIMED):
        loop.step()
    return 2 * TIMED / (time.perf_counter() - start)


def _with_threads(count: int, measure: Callable[[], float]) -> float:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        return measure()
    finally:
        torch.set_num_threads(before)


def _limit() -> float:
    """The best rate of a large product and of the update's own shape, in GFLOP/s, with all threads, in ours' format."""
    dtype = torch.bfloat16 if computes_in_bfloat16(SETTINGS.precision) else torch.float32
    rates = []
    for size, count, times in ((2048, 1, 5), (256, 3 * MEMBERS, 40)):
        a, b = (torch.randn(count, size, size).to(dtype) for _ in range(2))
        out = torch.empty_like(a)
        torch.bmm(a, b, out=out)
        start = time.perf_counter()
        for _ in range(times):
            torch.bmm(a, b, out=out)
        rates.append(times * 2e-9 * count * size**3 / (time.perf_counter() - start))
    return max(rates)


def _plain_columns(data: Transitions, prepared: Prepared) -> tuple[Tensor, ...]:
    _, a, r, _, done = prepared.columns
    states = (prepared.normaliser(data.s_tm1), prepared.normaliser(data.s_t))
    last = (torch.from_numpy(data.last_tm1), torch.from_numpy(data.last_t))
    return states[0], last[0], a, r, states[1], last[1], done


def _quality(prepared: Prepared, columns: tuple[Tensor, ...], test: Sequence[Scenario]) -> dict[str, Any]:
    """Mean returns on held-out scenarios of JUDGED members and plain seeds after LEARN updates each, by closed form."""
    settings = SETTINGS.model_copy(update={"steps": LEARN})
    with tempfile.TemporaryDirectory() as name:
        members = optimise(prepared, settings, SEED, Path(name), _context(lambda *_: None))
    theirs = []
    for seed in range(JUDGED):
        loop = Plain(columns, settings, SEED + seed)
        for _ in range(LEARN):
            loop.step()
        theirs.append(loop.as_networks())
    arms = ([_alone(members, member) for member in range(JUDGED)], theirs)
    ours, plain = (np.array([_return(networks, prepared, test) for networks in arm]) for arm in arms)
    error = T_95 * float(np.sqrt((ours.var(ddof=1) + plain.var(ddof=1)) / JUDGED))
    gap = float(ours.mean() - plain.mean())
    return {
        f"returns after {LEARN} updates, ours": [round(float(x), 3) for x in ours],
        f"returns after {LEARN} updates, plain loop": [round(float(x), 3) for x in plain],
        GAP: [round(x, 3) for x in (gap, gap - error, gap + error)],
    }


def _alone(networks: Networks, member: int) -> Networks:
    one = Networks(Shape(1, 1, True, SETTINGS.hidden))
    one.load_state_dict({name: weight[:, member, None] for name, weight in networks.state_dict().items()})
    return one


def _return(networks: Networks, prepared: Prepared, test: Sequence[Scenario]) -> float:
    meta = SelectorMeta.of(
        networks.shape, IQL(critics=1), RULES.max_messages, prepared.normaliser, prepared.reward_scale,
        spread_of(networks, prepared.columns[0]), prepared.seen, "bench",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        save(Path(name), networks, meta)
        select = trained({"crad": Path(name)})
    return float(returns_of(episode_tasks(test, PLAY_SEEDS, SEED, "bench iql"), lambda plan: select).mean())
