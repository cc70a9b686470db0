"""What a finished run tells about the size of the next: the spread of its paired differences in utility."""

from emodistill.errors import BadInput
from emodistill.evaluate.metrics import EvalRecords, eval_records, utility_differences
from emodistill.report.power import Components, components
from emodistill.report.tables import COMPARED
from emodistill.runs import RunDir
from emodistill.shards import open_table


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
    found = {
        f"{ours} − {theirs}": components(*utility_differences(cells[ours], cells[theirs])) for ours, theirs in pairs
    }
    known = {name: of for name, of in found.items() if of is not None}
    if not known:
        raise BadInput(
            f"{run.root} cannot serve as a pilot: the spread within a scenario and between scenarios needs two "
            "scenarios or more and two seeds or more. Run it with --set evaluate.seeds=3."
        )
    return known


def _cells(run: RunDir) -> dict[str, EvalRecords]:
    """Finished cells by name, as their markers tell where they lie; an audit's are its emotions."""
    scenarios, found = run.scenarios(), {}
    for stage in ("evaluate", "audit"):
        for path in sorted(run.path(stage).glob("*.done"), key=lambda path: path.stem):
            marker = run.marker(stage, path.stem)
            if marker is not None and run.whole(marker):
                [shard] = marker.files
                with open_table(run.path(shard)) as episodes:
                    found[path.stem] = eval_records(episodes, scenarios)
    return {name: records for name, records in found.items() if records.valid.any()}
