"""The columns of the shared episodes, each with its type, unit and meaning: schema and card are made of these."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "int32", "int64", "float64", "bool"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `of`: its entries are lists of objects with these columns, instead of values of `kind`."""

    name: str
    kind: Kind
    meaning: str  # with the unit of a number; null where it says so, else always there
    of: "tuple[Column, ...]" = ()


_TURN = (
    Column("seat", "string", "who speaks: focal or counterparty; the focal side opens"),
    Column("utterance", "string", "the words the other side hears"),
    Column("raw", "string", "the model's own reply, where it differs from the utterance; else null"),
    Column("emotion", "string", "GoEmotions label the speaker was told to show; null: none"),
    Column("offer", "float64", "the figure the words put forward, in the domain's unit; null: none"),
    Column("accepts", "bool", "takes the other side's standing offer"),
    Column("walks", "bool", "ends the negotiation"),
)
_JUDGED = (
    Column("judge_score", "float64", "judge's score, 1 (worst) to 10 (best), mean over repeats; null: missing, or not "
           "the focal side"),
    Column("judge_expected", "float64", "the same as an expectation over the judge's probabilities, 1 to 10, where the "
           "judge gives any"),
)  # fmt: skip


def _episode(turn: tuple[Column, ...]) -> tuple[Column, ...]:
    return (
        Column("episode_id", "string", "unique within its variant"),
        Column("scenario_id", "string", "row of `scenarios`"),
        Column("domain", "string", "crad, disaster, hospital or student"),
        Column("rollout", "int32", "index among the scenario's episodes"),
        Column("seed", "int64", "random seed of the episode"),
        Column("status", "string", "agreement, breakdown, timeout, or error (a technical one: not to be counted)"),
        Column("agreed", "float64", "agreed value in the domain's unit; null: no agreement"),
        Column("position", "float64", "of the agreed value, without unit: 0 is the counterparty's target, 1 the focal "
               "side's; null: no agreement"),
        Column("turns", "string", "the messages in order", turn),
    )  # fmt: skip


ROLLOUTS = _episode((*_TURN, *_JUDGED))
EVALUATION = (Column("variant", "string", "who spoke and who chose the emotion, see the model card"), *_episode(_TURN))
SCENARIOS = (
    Column("scenario_id", "string", "unique"),
    Column("domain", "string", "crad, disaster, hospital or student"),
    Column("unit", "string", "of every value of this scenario"),
    Column("focal_target", "float64", "what the focal side wants, in that unit"),
    Column("counterparty_target", "float64", "what the counterparty wants, in that unit"),
    Column("imputed", "bool", "a target was not a number in the source and took the domain's default"),
    Column("facts", "string", "what both sides may use", (
        Column("name", "string", "name of the fact"), Column("text", "string", "its text; empty: not stated"),
    )),
)  # fmt: skip


def flat(columns: tuple[Column, ...], prefix: str = "") -> list[tuple[str, str, str]]:
    """(name, type, meaning) of each column, those of a list as `list[].name`."""
    rows: list[tuple[str, str, str]] = []
    for column in columns:
        rows.append((prefix + column.name, "list" if column.of else column.kind, column.meaning))
        rows += flat(column.of, f"{prefix}{column.name}[].")
    return rows
