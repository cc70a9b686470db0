"""What a run's finished tasks have used at endpoints, in tokens and money, as their markers say."""

from dataclasses import asdict, dataclass

from emodistill.kinds import stages_of
from emodistill.plain import table
from emodistill.runs import RunDir


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one stage. `usd` is by the prices in the models' sections: 0 where none is given."""

    tasks: int
    prompt_tokens: int
    generated_tokens: int
    usd: float


def spent(run: RunDir) -> dict[str, Spent]:
    """By stage; a stage whose models are the simulator's alone is not in it."""
    found = {}
    config = run.config()
    for name, stage in stages_of(run).items():
        usages = [marker.usage for task in stage.tasks(config) if (marker := run.marker(name, task)) is not None]
        prompt, generated = (int(sum(u.get(key, 0.0) for u in usages)) for key in ("prompt_tokens", "generated_tokens"))
        if prompt or generated:
            usd = round(sum(u.get("usd", 0.0) for u in usages), 6)
            found[name] = Spent(len(usages), prompt, generated, usd)
    return found


def render(found: dict[str, Spent]) -> list[str]:
    """A table, with its total."""
    rows = [[name, *_cells(one)] for name, one in found.items()]
    rows.append(["all", *_cells(total(found))])
    header = ("stage", "tasks", "prompt tokens", "generated tokens", "USD")
    note = "Tokens of models, and money at endpoints by the prices in the configuration, of finished tasks."
    return [note, *table(header, rows)]


def total(found: dict[str, Spent]) -> Spent:
    """Of all stages."""
    parts = [asdict(one) for one in found.values()]
    tasks, prompt, generated = (
        sum(part[key] for part in parts) for key in ("tasks", "prompt_tokens", "generated_tokens")
    )
    return Spent(tasks, prompt, generated, round(sum(part["usd"] for part in parts), 6))


def _cells(one: Spent) -> list[str]:
    return [str(one.tasks), f"{one.prompt_tokens:,}", f"{one.generated_tokens:,}", f"{one.usd:,.4f}"]
