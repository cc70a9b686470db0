"""What a reader should know first: the result in words, its limits, and the paper's figures beside it."""

from collections.abc import Mapping, Sequence

import numpy as np

from emodistill.config import Config, Scripted
from emodistill.evaluate.metrics import EvalRecords
from emodistill.report.comparisons import mean_utility
from emodistill.report.names import model_label
from emodistill.report.sheet import Cell, Column, Sheet, words
from emodistill.report.tables import Found, Row

# Utility in Credit Recovery (CRAD), arXiv 2605.26785; see METHOD.md §8.
PAPER = (("full", "full pipeline", 72.2), ("vanilla-llm", "vanilla LLM", 5.0), ("vanilla-slm", "vanilla SLM", 8.8))
_PAPER_CONDITIONS = "paper: student Qwen2.5-7B-Instruct with LoRA, sweep and judge Qwen3.5-Plus"


def paper_sheet(records: Mapping[str, EvalRecords], domains: Sequence[str], config: Config) -> Sheet | None:
    """The paper's headline figures and ours, on its domain; None where this run has none of them.

    `domains`: of each scenario of the run, in order.
    """
    crad = np.array(domains) == "crad"
    rows: list[tuple[Cell, ...]] = []
    for variant, said, theirs in PAPER:
        if variant in records:
            here = records[variant].take(crad[records[variant].scenario])
            ours = mean_utility(here, config.report.resamples, config.seed)
            if ours.n:
                rows.append((f"utility, {said} ({variant})", theirs, ours, ours.n))
    if not rows:
        return None
    columns = (Column("", "Credit Recovery"), Column("", "paper"), Column("", "this run"), Column("", "n"))
    m = config.models
    notes = (
        f"Other models, scenarios and counterparties, so not comparable as levels: {_PAPER_CONDITIONS}; this run: "
        f"student {model_label(m.student)}, teacher {model_label(m.teacher)}, judge {model_label(m.judge)}, "
        f"counterparty {model_label(m.counterparty)}, at most {config.negotiation.max_messages} messages.",
    )
    return Sheet("Beside the paper's headline figures", columns, tuple(rows), notes)


def simulated(config: Config) -> tuple[str, ...]:
    """The roles that no language model played."""
    roles = ("teacher", "student", "counterparty", "judge")
    trained = () if config.sweep.imported is None else ("teacher",)  # played elsewhere: not known here
    return tuple(role for role in roles if role not in trained and isinstance(getattr(config.models, role), Scripted))


def findings(rows: Sequence[Row], found: Found) -> list[str]:
    """The main result as sentences; every figure has its interval and n."""
    if not rows:
        return ["No evaluation cell has finished yet, so there is no result to report."]
    known = [row for row in rows if not np.isnan(row.estimates["utility"].value)]
    if not known:
        return ["No episode of the evaluation was valid, so there is no result to report."]
    top = max(known, key=lambda row: row.estimates["utility"].value)
    told = [
        f"Highest utility: {top.variant}, {words(top.estimates['utility'], 1)} of 100 (n = {top.n} episodes over "
        f"{top.scenarios} held-out scenarios; success {words(top.estimates['success'], 1)} %)."
    ]
    for (ours, theirs), difference in found.items():
        e = difference.estimate
        if ours == "full" and not np.isnan(e.value):
            sure = "" if e.excludes_zero() else ", an interval that includes 0"
            told.append(f"full minus {theirs}: {words(e, 1)} points of utility (n = {e.n} pairs{sure}).")
    return told


def caveats(config: Config, rows: Sequence[Row]) -> list[str]:
    """What the figures do not say."""
    roles = simulated(config)
    told = []
    if roles:
        told.append(
            f"Simulated: {', '.join(roles)}. A simulated role is a program with planted effects of emotion, no "
            "language model: what it reacts to was put there, so this shows that the pipeline learns what there is to "
            "learn, and nothing about how people or large models react to emotion."
        )
    errors = sum(row.errors for row in rows)
    told += [
        "Agents only: no person took part, stakes are imagined, and one judge gave the scores. Nothing here is "
        "validated on people.",
        "Agents tuned to use emotion could extract value from people at scale. The figures are meant for audits, "
        "for agents that resist such pressure, and for rules of disclosure; not for deployment against people.",
        f"{errors} evaluation episode(s) of the main table ended in a technical error: counted, left out of every "
        "figure. Intervals are 95 %, clustered by scenario; small n gives wide ones.",
    ]
    return told
