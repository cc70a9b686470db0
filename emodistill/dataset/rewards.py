"""Step rewards, returns and advantages (METHOD.md §4). Pure, and in pos-space: mirroring a scenario changes nothing.

Before its first figure a side stands at its own target: focal at pos 1, counterparty at pos 0. Accepting moves the
accepting side to the agreed value (ours), so an acceptance is credited like any other concession.
"""

from dataclasses import dataclass

import numpy as np

from emodistill.records import Episode, Scenario

CLIP_STEP, CLIP_ADVANTAGE, SIGMA_FLOOR, TERMINAL = 2.0, 10.0, 1e-6, 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Both sides' positions (pos) after a message."""

    focal: float
    counterparty: float


def standings(scenario: Scenario, episode: Episode) -> list[Standing]:
    """Positions before the first message and after each: length len(turns) + 1."""
    track = [Standing(1.0, 0.0)]
    for turn in episode.turns:
        offer = turn.reading.offer
        if (
            turn.reading.accepts
            and turn is episode.turns[-1]
            and episode.status == "agreement"
            and offer in (None, episode.agreed)
        ):
            offer = episode.agreed
        here = track[-1]
        if offer is None:
            track.append(here)
        elif turn.seat == "focal":
            track.append(Standing(scenario.pos(offer), here.counterparty))
        else:
            track.append(Standing(here.focal, scenario.pos(offer)))
    return track


def step_rewards(scenario: Scenario, episode: Episode, max_messages: int) -> np.ndarray:
    """Δ_t for each focal turn, float64 [focal turns], without the terminal reward."""
    track = standings(scenario, episode)
    rewards = []
    for t, i in enumerate(range(0, len(episode.turns), 2), 1):
        after_focal, after_reply = track[i + 1], track[min(i + 2, len(track) - 1)]
        given_up = np.clip(track[i].focal - after_focal.focal, -CLIP_STEP, CLIP_STEP)
        gained = np.clip(after_reply.counterparty - after_focal.counterparty, -CLIP_STEP, CLIP_STEP)
        rewards.append((1 - t / max_messages) * (gained - given_up))
    return np.array(rewards, np.float64)


def terminal_reward(episode: Episode) -> float:
    """R_term: +2 for an agreement, -2 for a breakdown or timeout. Errors have none: `ValueError`."""
    if episode.status == "error":
        raise ValueError(f"{episode.id} ended in a technical error and has no reward")
    return TERMINAL if episode.status == "agreement" else -TERMINAL


def turn_rewards(scenario: Scenario, episode: Episode, max_messages: int) -> np.ndarray:
    """Δ_t for each focal turn with the terminal reward on the last, float64 [focal turns]; they sum to R(τ)."""
    rewards = step_rewards(scenario, episode, max_messages)
    rewards[-1] += terminal_reward(episode)
    return rewards


def advantages(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(value - group mean) / group σ, clipped to ±10; σ below the floor gives 0.

    NaN values stay NaN and count for nothing. values: float [n]; groups: [n], the scenario of each focal turn.
    """
    out = np.full(values.shape, np.nan)
    for group in np.unique(groups):
        rows = (groups == group) & ~np.isnan(values)
        if rows.any():
            sigma = values[rows].std()
            centred = values[rows] - values[rows].mean()
            out[rows] = np.clip(centred / sigma, -CLIP_ADVANTAGE, CLIP_ADVANTAGE) if sigma > SIGMA_FLOOR else 0.0
    return out
