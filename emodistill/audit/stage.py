"""The one stage of an audit: a task for each emotion, on held-out scenarios, in a run directory of its own."""

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


AUDIT = Stage(
    name="audit",
    reads=lambda config, task: {},
    settings=_settings,
    tasks=lambda config: GOEMOTIONS,
    work="emodistill.audit.work:audit_emotion",
)
STAGES = {AUDIT.name: AUDIT}
