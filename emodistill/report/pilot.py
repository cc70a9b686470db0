"""What a finished run tells about the size of the next: the spread of its paired differences in utility."""

from pathlib import Path

import numpy as np

from emodistill.errors import BadInput
from emodistill.evaluate.metrics import eval_records
from emodistill.records import Scenario
from emodistill.report.power import Components, components
from emodistill.report.tables import COMPARED
from emodistill.runs import RunDir
from emodistill.shards import open_table

Utility = dict[tuple[str, int], float]  # (scenario, seed) -> 100 × savings


def pilot(run: RunDir) -> dict[str, Components]:
    """`variant − variant` to the variance components of that difference, from whatever cells have finished.

    The comparisons of the main table; without any of them every cell against the first one, and in an audit every
    emotion against `neutral`. `BadInput` if nothing can be compared, or each scenario was played once only.
    """
    cells = _cells(run)
    pairs = [pair for pair in COMPARED if set(pair) <= cells.keys()]
    if not pairs and cells:
        base = "neutral" if "neutral" in cells else next(iter(cells))
        pairs = [(name, base) for name in cells if name != base]
    if not pairs:
        raise BadInput(
            f"{run.root} has no two finished cells of an evaluation to compare. Let a pilot finish first: "
            "emodistill run (or launch) with a few seeds, such as --set evaluate.seeds=3, and name it with --pilot."
        )
    found = {f"{ours} − {theirs}": _spread(cells[ours], cells[theirs]) for ours, theirs in pairs}
    known = {name: of for name, of in found.items() if of is not None}
    if not known:
        raise BadInput(
            f"{run.root} cannot serve as a pilot: the spread within a scenario and between scenarios needs two "
            "scenarios or more and two seeds or more. Run it with --set evaluate.seeds=3."
        )
    return known


def _cells(run: RunDir) -> dict[str, Utility]:
    """Finished cells by name, as their markers tell where they lie; an audit's are its emotions."""
    scenarios, found = run.scenarios(), {}
    for stage in ("evaluate", "audit"):
        for path in sorted(run.path(stage).glob("*.done"), key=lambda path: path.stem):
            marker = run.marker(stage, path.stem)
            shards = [name for name in marker.files if name.endswith(".h5")] if marker and run.whole(marker) else []
            found[path.stem] = {key: value for name in shards for key, value in _utility(run.path(name), scenarios)}
    return {name: utility for name, utility in found.items() if utility}


def _utility(shard: Path, scenarios: dict[str, Scenario]) -> list[tuple[tuple[str, int], float]]:
    with open_table(shard) as episodes:
        records = eval_records(episodes, scenarios)
    records = records.take(records.valid)
    names = list(scenarios)
    rows = zip(records.scenario.tolist(), records.rollout.tolist(), records.savings.tolist(), strict=True)
    return [((names[place], rollout), 100 * savings) for place, rollout, savings in rows]


def _spread(ours: Utility, theirs: Utility) -> Components | None:
    shared = sorted(ours.keys() & theirs.keys())
    return components(
        np.array([ours[key] - theirs[key] for key in shared]), np.array([scenario for scenario, _ in shared], str)
    )
