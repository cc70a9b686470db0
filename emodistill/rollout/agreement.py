"""When a negotiation is over, and at what value (METHOD.md §1). Pure, and polarity-free: only `pos` is compared.

An acceptance needs a standing offer of the other side, and no other figure of its own ("I accept, if it is 20 days" is
an offer of 20). Crossed or near offers settle at their midpoint.
"""

from dataclasses import dataclass

from emodistill.records import Rules, Scenario, Seat, Status, Turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended; `agreed` is in the domain's unit and None unless the status is agreement."""

    status: Status
    agreed: float | None = None


def standing_offer(turns: tuple[Turn, ...], seat: Seat) -> float | None:
    """The latest figure that seat has named, in the domain's unit."""
    for turn in reversed(turns):
        if turn.seat == seat and turn.reading.offer is not None:
            return turn.reading.offer
    return None


def outcome(scenario: Scenario, turns: tuple[Turn, ...], rules: Rules) -> Outcome | None:
    """The outcome after the last of `turns`, or None if the negotiation goes on."""
    if not turns:
        return None
    last = turns[-1]
    other: Seat = "counterparty" if last.seat == "focal" else "focal"
    theirs = standing_offer(turns, other)
    mine = last.reading.offer
    if last.reading.accepts and theirs is not None and mine in (None, theirs):
        return Outcome("agreement", theirs)
    if last.reading.walks:
        return Outcome("breakdown")
    if mine is not None and theirs is not None:
        focal, counterparty = (mine, theirs) if last.seat == "focal" else (theirs, mine)
        crossed = scenario.pos(focal) <= scenario.pos(counterparty)
        if crossed or abs(focal - counterparty) <= tolerance(scenario, rules):
            return Outcome("agreement", (focal + counterparty) / 2)
    return Outcome("timeout") if len(turns) >= rules.max_messages else None


def tolerance(scenario: Scenario, rules: Rules) -> float:
    """How near two offers must lie to count as agreed, in the domain's unit."""
    if rules.tolerance_units is not None:
        return rules.tolerance_units
    return rules.tolerance_pct / 100 * abs(scenario.focal_target - scenario.counterparty_target)
