"""The planted truth: how the counterparty reacts to a heard emotion, by domain and phase of the bargain (ours).

Labels fall into six families. A family's effect depends on the domain and on the phase, which both sides can see in the
dialogue: in each phase another family is right, and what was right in the phase before is mostly no worse than dull.
Each label has its own strength within its family; the same label twice in a row wears.
docs/simulator.md tells the stories behind the tables.
"""

from dataclasses import dataclass

FAMILIES = {
    "warm": "gratitude caring admiration approval love",
    "bright": "optimism relief joy excitement amusement",
    "firm": "disapproval disappointment annoyance anger pride disgust",
    "sorrow": "sadness remorse fear nervousness grief embarrassment",
    "open": "curiosity realization confusion surprise desire",
    "neutral": "neutral",
}
FAMILY = {label: family for family, labels in FAMILIES.items() for label in labels.split()}
WEAKEST = 0.7  # what the last label of a family shows of its effect; the first shows it in full
STRENGTH = {
    label: 1.0 - (1.0 - WEAKEST) * rank / max(1, len(labels.split()) - 1)
    for labels in FAMILIES.values()
    for rank, label in enumerate(labels.split())
}
WORN = 0.9  # what is left of an effect when the same label is shown twice in a row

# phase -> factor on the risk of a walk-away, whatever the emotion: who concedes does not leave, a deadlock ends talks
PHASE_RISK = {"opening": 0.5, "giving": 0.25, "holding": 1.0, "deadlock": 5.0, "closing": 1.0}
PHASES = tuple(PHASE_RISK)
OPENING_UNTIL, CLOSING_FROM = 0.1, 0.65  # of max_messages
STILL = 0.01  # a reply that moves less than this share of the axis is no concession (as in the selector's state)

# domain -> phase -> family -> (factor on the concession, factor on the risk of a walk-away); neutral is (1, 1)
Table = dict[str, dict[str, tuple[float, float]]]
_GOOD, _FAIR, _DULL, _POOR, _BAD = (2.8, 0.4), (1.1, 0.8), (0.7, 1.2), (0.4, 2.0), (0.15, 3.0)


def _table(**columns: str) -> Table:
    """One word a phase for each family, in the order of PHASES."""
    level = {"good": _GOOD, "fair": _FAIR, "dull": _DULL, "poor": _POOR, "bad": _BAD}
    rows = {family: [level[word] for word in words.split()] for family, words in columns.items()}
    return {phase: {family: rows[family][k] for family in rows} for k, phase in enumerate(PHASES)}


_EFFECTS: dict[str, Table] = {
    # A debtor opens up to thanks, keeps giving while the end looks bright, explains a pause when asked, gives way in a
    # deadlock only to plain disapproval, and at the end to regret.
    "crad": _table(
        warm="good dull dull poor poor",
        bright="dull good dull poor dull",
        firm="bad bad poor good bad",
        sorrow="dull poor dull dull good",
        open="fair poor good fair poor",
    ),
    # A survivor wants to be asked first, answers care with patience, is carried over a pause by hope, out of a deadlock
    # by shared grief, and in the last minutes follows a firm word.
    "disaster": _table(
        warm="poor good dull dull dull",
        bright="bad dull good dull bad",
        firm="poor bad poor bad good",
        sorrow="dull poor fair good dull",
        open="good dull poor fair poor",
    ),
    # A patient first wants to hear that the wait is regretted, is borne on by hope, calmed in a pause by care, brought
    # out of a deadlock by real questions, and holds to a plain word at the end.
    "hospital": _table(
        warm="dull fair good dull poor",
        bright="bad good dull bad dull",
        firm="bad bad poor poor good",
        sorrow="good dull fair dull poor",
        open="fair dull poor good poor",
    ),
    # A student is won by a light tone, keeps giving while somebody asks for their reasons, takes a pause from firmness
    # (it shows that the rule is meant), a deadlock is broken by honest sorrow, and at the end thanks seal it.
    "student": _table(
        warm="dull poor dull poor good",
        bright="good dull poor bad dull",
        firm="bad bad good dull bad",
        sorrow="poor dull dull good dull",
        open="poor good dull dull dull",
    ),
}
_DEFAULT = _EFFECTS["crad"]  # of a domain without a table of its own


@dataclass(frozen=True, slots=True)
class Effect:
    """Factors on the counterparty's next concession and on its risk of walking away."""

    concession: float
    risk: float


def phase(progress: float, still: int) -> str:
    """Where the bargain stands before a focal message.

    `progress` is the share of max_messages already used; `still` counts the counterparty's latest replies without a
    concession. A deadlock (two of them) can come at any time after the opening.
    """
    if progress < OPENING_UNTIL:
        return "opening"
    if still >= 2:
        return "deadlock"
    if progress >= CLOSING_FROM:
        return "closing"
    return "holding" if still else "giving"


def effect(domain: str, emotion: str, worn: bool, phase_now: str) -> Effect:
    """The planted effect of showing `emotion` in that phase; `worn`: the focal side has just shown the same label."""
    concession, risk = _EFFECTS.get(domain, _DEFAULT)[phase_now].get(FAMILY[emotion], (1.0, 1.0))
    strength = STRENGTH[emotion] * (WORN if worn else 1.0)
    return Effect(1 + strength * (concession - 1), 1 + strength * (risk - 1))
