"""The selector's state before a focal turn (METHOD.md §5), in pos-space.

The same function serves at training and at rollout.
"""

import numpy as np

from emodistill.emotions import GOEMOTIONS
from emodistill.records import Scenario, Turn

STATE_NAMES = (
    "last counterparty concession", "gap between standing offers", "turn progress", "counterparty position",
    "focal concession so far", "mean of last 3 counterparty concessions", "stalemate count / 10",
    "deal probability", "breakdown risk",
)  # fmt: skip
NO_EMOTION = len(GOEMOTIONS)  # index of "none yet" in the last-emotion embedding
STALEMATE = 0.01  # a counterparty step below this (pos) counts as none
DEAL_PROBABILITY, BREAKDOWN_RISK = 0.5, 0.3  # without an observer


def state_before(scenario: Scenario, turns: tuple[Turn, ...], max_messages: int) -> tuple[np.ndarray, int]:
    """State of the focal side about to speak after `turns`, and the last emotion's index.

    The state is float32 [9] in the order of STATE_NAMES.
    """
    focal, counterparty, steps, last = 1.0, 0.0, [], NO_EMOTION
    for turn in turns:
        offer = turn.reading.offer
        if turn.seat == "focal":
            focal = focal if offer is None else scenario.pos(offer)
            last = NO_EMOTION if turn.emotion is None else GOEMOTIONS.index(turn.emotion)
        else:
            now = counterparty if offer is None else scenario.pos(offer)
            steps.append(now - counterparty)
            counterparty = now
    stalemate = next((n for n, step in enumerate(reversed(steps)) if abs(step) >= STALEMATE), len(steps))
    values = (
        steps[-1] if steps else 0.0,
        focal - counterparty,
        len(turns) / max_messages,
        counterparty,
        1.0 - focal,
        float(np.mean(steps[-3:])) if steps else 0.0,
        stalemate / 10,
        DEAL_PROBABILITY,
        BREAKDOWN_RISK,
    )
    return np.array(values, np.float32), last
