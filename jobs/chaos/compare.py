"""What two run directories have in common: episodes, verdicts, training curves, tables."""

import json
from dataclasses import dataclass
from pathlib import Path

from emodistill.records import Episode, Verdict
from emodistill.shards import EPISODES, VERDICTS, Codec, read_records

_EPISODES = ("rollout/*.h5", "evaluate/*/*.h5")


@dataclass(frozen=True, slots=True)
class Difference:
    """Of a run under chaos from the undisturbed one; episodes with their verdicts."""

    lost: int
    duplicated: int
    changed: int
    curves_equal: bool
    tables_equal: bool

    def none(self) -> bool:
        """Whether nothing was lost, doubled or changed."""
        return self == Difference(0, 0, 0, True, True)


def difference(calm: Path, struck: Path) -> Difference:
    """Compare records by their ids, curves without wall times, tables byte by byte."""
    lost = duplicated = changed = 0
    for codec, patterns in ((EPISODES, _EPISODES), (VERDICTS, ("judge/*.h5",))):
        whole, _ = _records(calm, codec, patterns)
        found, doubled = _records(struck, codec, patterns)
        lost += len(whole.keys() - found.keys())
        duplicated += doubled
        changed += sum(repr(found[key]) != repr(whole[key]) for key in whole.keys() & found.keys())  # NaN equals NaN
    return Difference(lost, duplicated, changed, _curves(calm) == _curves(struck), _tables(calm) == _tables(struck))


def _records(run: Path, codec: Codec, patterns: tuple[str, ...]) -> tuple[dict[str, Episode | Verdict], int]:
    """Records by their file's stage and their id, and how many there are twice."""
    found: dict[str, Episode | Verdict] = {}
    doubled = 0
    for path in sorted(path for pattern in patterns for path in run.glob(pattern)):
        for record in read_records([path], codec):
            identity = record.id if isinstance(record, Episode) else record.episode_id
            where = path.parent.relative_to(run)
            doubled += f"{where} {identity}" in found
            found[f"{where} {identity}"] = record
    return found, doubled


def _curves(run: Path) -> dict[str, list[dict[str, float]]]:
    curves = {}
    for path in run.glob("*/*/metrics.jsonl"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        curves[str(path.relative_to(run))] = [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
    return curves


def _tables(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for kind in ("csv", "md") for path in run.glob(f"tables/*.{kind}")}
