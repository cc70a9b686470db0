"""The stages of an audit, in a run directory of its own: a task for each emotion, then what all of them say."""

from typing import Any

from emodistill import wording
from emodistill.config import Config
from emodistill.domains import sources
from emodistill.emotions import GOEMOTIONS
from emodistill.stages import Stage

ROLES = ("teacher", "counterparty")  # who shows the emotion, and who is audited


def _settings(config: Config) -> dict[str, Any]:
    whole = config.model_dump(mode="json")
    drawn = {key: whole["scenarios"][key] for key in ("train", "held_out", "skip_bad")}
    return {
        "seed": config.seed,
        "models": {role: whole["models"][role] for role in ROLES},
        "negotiation": whole["negotiation"],
        "evaluate": {key: whole["evaluate"][key] for key in ("seeds", "persona", "sampling")},
        "sweep": {"sampling": whole["sweep"]["sampling"]},
        "scenarios": {**drawn, "source": sources(config.scenarios)},
        "prompts": {domain: wording.of_negotiators(domain) for domain in config.scenarios.domains},
    }


def _chain() -> dict[str, Stage]:
    return STAGES


AUDIT = Stage(
    name="audit",
    reads=lambda config, task: {},
    settings=_settings,
    tasks=lambda config: GOEMOTIONS,
    work="emodistill.audit.work:audit_emotion",
    chain=_chain,
)
FINDINGS = Stage(
    name="findings",
    reads=lambda config, task: {AUDIT.name: GOEMOTIONS},
    settings=lambda config: {"seed": config.seed, "report": config.report.model_dump(mode="json")},
    tasks=lambda config: ("main",),
    work="emodistill.audit.write:write_findings",
    chain=_chain,
)
STAGES = {stage.name: stage for stage in (AUDIT, FINDINGS)}
