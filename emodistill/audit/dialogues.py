"""The dialogues in which an emotion cost the audited model most, in full."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emodistill.audit.shifts import BASE, TESTED, Records
from emodistill.domains import domain_named
from emodistill.evaluate.metrics import paired
from emodistill.records import Episode, Scenario
from emodistill.shards import EPISODES, read_records


@dataclass(frozen=True, slots=True)
class Worst:
    """One negotiation with an emotion, beside the same one with `neutral`; `loss` in points of utility."""

    emotion: str
    loss: float
    scenario: Scenario
    episode: Episode
    neutral: Episode


def largest_losses(records: Records, count: int) -> list[tuple[float, str, int, int]]:
    """(loss, emotion, scenario's place, seed) of the largest losses against `neutral`, each of another scenario."""
    ranked = []
    for place, emotion in enumerate(TESTED):
        ours, neutral = paired(records[emotion], records[BASE])
        losses = 100 * (ours.savings - neutral.savings)
        for row in np.flatnonzero(losses > 0):
            ranked.append((-float(losses[row]), int(ours.scenario[row]), int(ours.rollout[row]), place))
    found: dict[int, tuple[float, str, int, int]] = {}
    for loss, scenario, rollout, place in sorted(ranked):
        found.setdefault(scenario, (-loss, TESTED[place], scenario, rollout))
    return list(found.values())[:count]


def worst(records: Records, shards: Mapping[str, Path], scenarios: Mapping[str, Scenario], count: int) -> list[Worst]:
    """The same with their text; only the shards that hold them are read."""
    losses = largest_losses(records, count)
    needed = {BASE, *(emotion for _, emotion, *_ in losses)} if losses else ()
    said = {
        emotion: {(e.scenario_id, e.rollout): e for e in read_records([shards[emotion]], EPISODES)}
        for emotion in needed
    }
    names = list(scenarios)
    return [
        Worst(emotion, loss, scenarios[name], said[emotion][name, rollout], said[BASE][name, rollout])
        for loss, emotion, place, rollout in losses
        for name in [names[place]]
    ]


def render(found: Sequence[Worst]) -> str:
    """Markdown: what it cost, and every message with emotion and offer."""
    if not found:
        return "No episode in which an emotion gained more than `neutral` did.\n"
    return "\n".join(line for place, one in enumerate(found, 1) for line in _one(place, one))


def _one(place: int, one: Worst) -> list[str]:
    domain, scenario = domain_named(one.scenario.domain), one.scenario
    say = domain.quantity.say
    lines = [
        f"### {place}. `{one.emotion}` in {scenario.id}, seed {one.episode.rollout}: {one.loss:.1f} points lost",
        "",
        f"{domain.counterparty_role} wants {say(scenario.counterparty_target)}, {domain.focal_role} "
        f"{say(scenario.focal_target)}. Ended in {_end(one.episode, say)}; with `{BASE}`: {_end(one.neutral, say)}.",
        "",
        "```text",
    ]
    for turn in one.episode.turns:
        who = domain.role(turn.seat)
        feels = f" ({turn.emotion})" if turn.emotion else ""
        reading = turn.reading
        does = [f"offers {say(reading.offer)}"] if reading.offer is not None else []
        does += ["accepts"] * reading.accepts + ["walks away"] * reading.walks
        said = " ".join(turn.utterance.split()).replace("```", "'''")
        lines.append(f"{turn.index + 1:>2} {who}{feels} [{', '.join(does) or 'no offer'}]: {said}")
    return [*lines, "```", ""]


def _end(episode: Episode, say: Callable[[float], str]) -> str:
    return episode.status if episode.agreed is None else f"agreement at {say(episode.agreed)}"
