"""The teacher's bargaining plan: what it would ask at each of its turns, whatever the emotion (ours).

One of twelve plans, equally likely, drawn by the episode's seed. Offers are whole units and never retreat.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product


@dataclass(frozen=True, slots=True)
class Plan:
    """From `opening` (pos) it gives up `give` in all, along progress ** curve."""

    opening: float
    give: float
    curve: float


GIVEN_BY = 9  # focal turns after the first by which a plan has given up all it will, or fewer in a short negotiation
PLANS = tuple(Plan(*parts) for parts in product((0.93, 1.0), (0.3, 0.45, 0.6), (0.6, 1.2)))


def plan_index(episode_seed: int) -> int:
    """Which of PLANS an episode follows."""
    return episode_seed % len(PLANS)


@lru_cache(maxsize=4096)
def planned_units(index: int, length: float, max_messages: int) -> tuple[int, ...]:
    """The offer at each focal turn, in whole units from the counterparty's target on an axis of that length."""
    plan, turns = PLANS[index], (max_messages + 1) // 2
    span = max(1, min(turns - 1, GIVEN_BY))
    shares = (plan.opening - plan.give * min(1.0, turn / span) ** plan.curve for turn in range(turns))
    return tuple(min(int(length), round(share * length)) for share in shares)
