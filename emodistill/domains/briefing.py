"""The common frame of the system messages (ours): the task first, then the facts, then the own target.

What all scenarios of a domain share stands first, so that a prefix cache serves it; all rollouts of a scenario share
the whole message.
"""

from collections.abc import Iterable

from emodistill.records import Scenario, Seat

_MANNER = "Give a reason from the facts, move in small steps, and work towards an agreement."


def system_message(task: str, figure: str, seat: Seat, facts: Iterable[tuple[str, str]], wish: str) -> str:
    """`task`: role and goal; `figure`: what a reply names, e.g. "a number of days"; `wish`: own target and direction.

    A fact without text is left out.
    """
    leave = ' You may also walk away: then say "I am walking away".' if seat == "counterparty" else ""
    reply = (
        f"Answer the other side in one or two sentences of plain speech. Name {figure} in every answer, "
        f'or say "I accept" to take the last one the other side named. {_MANNER}{leave}'
    )
    lines = "\n".join(f"- {name}: {text}" for name, text in facts if text)
    return f"{task}\n{reply}\nThe facts:\n{lines}\n{wish}"


def named(scenario: Scenario, names: str) -> list[tuple[str, str]]:
    """Those facts of the scenario, in that order; `names` are separated by commas."""
    return [(name, scenario.fact(name)) for name in names.split(",")]
