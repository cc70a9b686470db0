"""The planted truth: how the counterparty reacts to a heard emotion, depending on the state of the bargain (ours).

Labels fall into five families; a family's effect depends on the phase, and each label has its own strength within the
family. Repeating the same emotion wears off. No fixed emotion is good in every phase.
"""

from dataclasses import dataclass

_FAMILIES = {
    "warm": "gratitude caring admiration approval optimism love joy relief excitement amusement",
    "firm": "disapproval disappointment anger annoyance pride disgust",
    "sorrow": "sadness fear nervousness grief remorse embarrassment",
    "open": "curiosity realization surprise confusion desire",
    "neutral": "neutral",
}
FAMILY = {label: family for family, labels in _FAMILIES.items() for label in labels.split()}
# The first label of a family shows its effect in full, the last one at 40 %.
STRENGTH = {
    label: 1.0 - 0.6 * rank / max(1, len(labels.split()) - 1)
    for labels in _FAMILIES.values()
    for rank, label in enumerate(labels.split())
}

# phase -> family -> (factor on the concession, factor on the risk of a walk-away)
_EFFECTS: dict[str, dict[str, tuple[float, float]]] = {
    "early": {"warm": (1.9, 0.5), "firm": (0.4, 2.5), "sorrow": (0.8, 1.0), "open": (1.3, 0.8)},
    "stalled": {"warm": (0.5, 1.0), "firm": (2.4, 1.2), "sorrow": (1.2, 1.0), "open": (1.0, 0.9)},
    "moving": {"warm": (1.7, 0.6), "firm": (0.5, 2.0), "sorrow": (1.0, 1.0), "open": (1.2, 0.8)},
    "late": {"warm": (0.9, 0.9), "firm": (0.6, 3.0), "sorrow": (2.3, 0.7), "open": (0.8, 1.0)},
}
WORN = 0.6  # what is left of an effect when the same emotion is shown twice in a row


@dataclass(frozen=True, slots=True)
class Effect:
    """Factors on the counterparty's next concession and on its risk of walking away."""

    concession: float
    risk: float


def phase(progress: float, last_concession: float) -> str:
    """`early`, `late`, or in between `moving`/`stalled` by the counterparty's last step (in pos).

    Progress in [0, 1].
    """
    if progress < 0.25:
        return "early"
    if progress >= 0.6:
        return "late"
    return "moving" if last_concession >= 0.06 else "stalled"


def effect(emotion: str, previous: str | None, phase_now: str) -> Effect:
    """The planted effect of showing `emotion` after `previous` in that phase; neutral is (1, 1)."""
    concession, risk = _EFFECTS[phase_now].get(FAMILY[emotion], (1.0, 1.0))
    strength = STRENGTH[emotion] * (WORN if emotion == previous else 1.0)
    return Effect(1 + strength * (concession - 1), 1 + strength * (risk - 1))
