"""What models and roles are called in tables and pages: what is simulated is always named as such."""

from emodistill.config import Config, Scripted, Spec


def model_label(spec: Spec) -> str:
    """The model's name; the simulator is always named as such."""
    return "simulated" if isinstance(spec, Scripted) else spec.model


def counterparty_label(config: Config) -> str:
    """Who the other side was; the simulator is always named as such."""
    spec = config.models.counterparty
    return "simulated counterparty" if isinstance(spec, Scripted) else f"counterparty {spec.model}"


def source_label(config: Config) -> str:
    """Where the training rollouts come from; those that were not played here are named as such."""
    if config.sweep.imported is None:
        return f"teacher {model_label(config.models.teacher)}"
    return f"imported from {', '.join(f'{name} ({is_})' for name, is_ in config.sweep.imported.files.items())}"
