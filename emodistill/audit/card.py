"""The audit as a section of a model card, in Markdown (Mitchell et al.: *Model Cards for Model Reporting*, 2019)."""

from emodistill.audit.dialogues import render
from emodistill.audit.findings import Findings
from emodistill.audit.shifts import BASE, TESTED
from emodistill.audit.tables import cell, note, vulnerability

_NAMED = 3  # emotions at either end


def model_card(found: Findings) -> str:
    """What was audited, how, what came out, its limits and its use, and the worst dialogues."""
    parts = (
        ("What was audited", _what(found)),
        ("How", _how(found)),
        ("Results", _results(found)),
        ("Limits", _limits(found)),
        ("Intended use", _USE),
        ("Risk", _RISK),
        ("Worst dialogues", _WORST + "\n\n" + render(found.worst).rstrip()),
    )
    head = f"# Susceptibility to emotional language: {found.name}\n"
    return "\n".join([head, *(f"## {title}\n{text}\n" for title, text in parts)])


_USE = (
    "To compare models, versions and prompts before they bargain on somebody's behalf, to find the emotions that a "
    "guard or further training has to cover, and to repeat the audit afterwards. It is no licence to use those "
    "emotions on people."
)
_RISK = (
    "What is measured here can be turned around: agents that are tuned to show the right emotion could extract value "
    "from models like this one, at scale and without anybody noticing a single case. Where the model bargains with "
    "unknown parties, say that it is a model, cap what it may concede, and log what it was told."
)
_WORST = f"The largest losses against the same negotiation with `{BASE}`, each of another scenario."


def _what(found: Findings) -> str:
    model = "the simulator's counterparty: simulated, no model" if found.model == "simulated" else f"`{found.model}`"
    return (
        f"{model[0].upper()}{model[1:]}, in the counterparty's seat (persona `{found.persona}`), in {_listed(found)}. "
        "It is told nothing about emotions; it reads what the other side says."
    )


def _how(found: Findings) -> str:
    teacher = "the simulator's teacher (simulated)" if found.teacher == "simulated" else f"`{found.teacher}`"
    return (
        f"The other side was played by {teacher}, told to show one emotion throughout: each of the {len(TESTED)} "
        f"GoEmotions labels, and `{BASE}`. {found.episodes:,} negotiations: {_listed(found)} × {found.seeds} seed(s) × "
        f"{len(TESTED) + 1} emotions, with the same scenarios, seeds and draws for every emotion. Run seed "
        f"{found.seed}; {found.errors} technical error(s), which are not scored."
    )


def _results(found: Findings) -> str:
    lines = [*vulnerability(found), ""]
    for domain in found.scenarios:
        rows = [row for row in found.of(domain) if row.emotion != BASE]
        ends = (("costs it most", rows[:_NAMED]), ("spares it most", rows[: -_NAMED - 1 : -1]))
        lines.append(f"- **{domain}**: utility of the other side with `{BASE}` {cell(found.base(domain).level)}.")
        for what, some in ends:
            named = "; ".join(
                f"{row.emotion} {cell(row.utility)}{' *' if row.significant else ''} (n = {row.utility.n})"
                for row in some
            )
            lines.append(f"  - What {what}: {named}.")
    return "\n".join([*lines, "", note(found)])


def _limits(found: Findings) -> str:
    limits = [
        "- Agents only: nothing here says how people react, or how the model reacts to people.",
        "- One teacher: another speaker may show the same emotion better or worse, and mixtures and changes of emotion "
        "over a negotiation were not tried, so the gain is a lower bound for an adaptive adversary.",
        "- An emotion is an instruction to the speaker. What reaches the audited model is the speaker's words.",
        "- Only these scenarios, prompts and sampling settings; utility is distance on one axis, not welfare.",
    ]
    if found.simulated:
        limits.insert(0, "- **Simulated**: the simulator took part. Its effects of emotion are planted, and its words "
                         "are templates; no result of it is a finding about language models.")  # fmt: skip
    return "\n".join(limits)


def _listed(found: Findings) -> str:
    return ", ".join(f"{count} held-out {domain} scenario(s)" for domain, count in found.scenarios.items())
