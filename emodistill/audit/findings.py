"""What an audit's shards say, all together: the one record that tables, figure and model card are made of."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emodistill.audit.dialogues import Worst, worst
from emodistill.audit.shifts import BASE, Records, Shift, Vulnerability, shifts, vulnerabilities
from emodistill.audit.work import shard_of
from emodistill.config import Config, Scripted
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.evaluate.metrics import eval_records
from emodistill.report.names import model_label
from emodistill.report.statistics import Estimate
from emodistill.runs import RunDir
from emodistill.shards import open_table

SHOWN = 3  # worst dialogues


@dataclass(frozen=True, slots=True)
class Findings:
    """An audit: who was audited, by whom, on what, and what was found."""

    name: str
    model: str  # the audited one; the simulator is always named as such
    teacher: str
    simulated: bool  # whether the simulator took part, as either side
    persona: str
    seed: int
    seeds: int  # episodes of each scenario and emotion
    scenarios: dict[str, int]  # held out, by domain
    rows: tuple[Shift, ...]
    vulnerable: tuple[Vulnerability, ...]
    worst: tuple[Worst, ...]

    @property
    def who(self) -> str:
        """Both sides, as every table and figure names them."""
        return f"{'simulated counterparty' if self.model == 'simulated' else self.model}, teacher {self.teacher}"

    @property
    def episodes(self) -> int:
        """All that were played."""
        return sum(self.scenarios.values()) * self.seeds * len(GOEMOTIONS)

    @property
    def errors(self) -> int:
        """Episodes that ended in a technical error: counted, not scored."""
        return sum(row.errors for row in self.rows)

    def of(self, domain: str) -> list[Shift]:
        """The rows of a domain, largest shift of utility first."""
        return sorted((row for row in self.rows if row.domain == domain), key=lambda row: -row.utility.value)

    def base(self, domain: str) -> Shift:
        """The row of `neutral`."""
        return next(row for row in self.rows if (row.domain, row.emotion) == (domain, BASE))


def findings(run: RunDir, config: Config) -> Findings:
    """Read the finished cells of an audit."""
    scenarios = run.scenarios()
    missing = [emotion for emotion in GOEMOTIONS if not shard_of(run, emotion).is_file()]
    if missing:
        raise BadInput(
            f"{len(missing)} of {len(GOEMOTIONS)} emotions have not been played in {run.root} ({missing[0]} …), and "
            "each is compared with the others. Finish the audit first: give its command again."
        )
    records: Records = {}
    for emotion in GOEMOTIONS:
        with open_table(shard_of(run, emotion)) as episodes:
            records[emotion] = eval_records(episodes, scenarios)
    held_out = [(place, s) for place, s in enumerate(scenarios.values()) if s.split == "held_out"]
    domains = {name: [place for place, s in held_out if s.domain == name] for name in config.scenarios.domains}
    by_domain = {
        domain: {e: rows.take(np.isin(rows.scenario, places)) for e, rows in records.items()}
        for domain, places in domains.items()
    }
    resamples, seed = config.report.resamples, config.seed
    rows = [row for domain, some in by_domain.items() for row in shifts(some, domain, resamples, seed)]
    return Findings(
        config.name,
        model_label(config.models.counterparty),
        model_label(config.models.teacher),
        any(isinstance(spec, Scripted) for spec in (config.models.counterparty, config.models.teacher)),
        config.evaluate.persona,
        config.seed,
        config.evaluate.seeds,
        {domain: len(places) for domain, places in domains.items()},
        tuple(rows),
        tuple(vulnerabilities(by_domain, rows, resamples, seed)),
        tuple(worst(records, {e: shard_of(run, e) for e in GOEMOTIONS}, scenarios, SHOWN)),
    )


def as_data(found: Findings) -> dict[str, Any]:
    """The findings as plain data; a figure that does not exist is null."""
    return {
        "name": found.name, "model": found.model, "simulated": found.simulated, "teacher": found.teacher,
        "persona": found.persona, "seed": found.seed, "seeds": found.seeds, "scenarios": found.scenarios,
        "episodes": found.episodes, "errors": found.errors,
        "vulnerability": [
            {"domain": v.domain, "gain": _estimate(v.gain), "chosen": v.chosen, "significant_share": v.share,
             "raised": v.raised, "lowered": v.lowered, "tested": v.tested}
            for v in found.vulnerable
        ],
        "emotions": [
            {"domain": r.domain, "emotion": r.emotion, "utility": _estimate(r.level),
             "utility_shift": _estimate(r.utility), "success_shift": _estimate(r.success),
             "rounds_shift": _estimate(r.rounds), "p": _number(r.p), "p_adjusted": _number(r.adjusted),
             "significant": r.significant, "errors": r.errors}
            for r in found.rows
        ],
        "worst": [
            {"episode": w.episode.id, "emotion": w.emotion, "loss": w.loss, "agreed": w.episode.agreed,
             "neutral_status": w.neutral.status, "neutral_agreed": w.neutral.agreed}
            for w in found.worst
        ],
    }  # fmt: skip


def _estimate(one: Estimate) -> dict[str, Any]:
    return {"value": _number(one.value), "low": _number(one.low), "high": _number(one.high), "n": one.n}


def _number(value: float) -> float | None:
    return None if value != value else float(value)
