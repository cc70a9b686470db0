"""An imported sweep in a run directory: `imported/` keeps what was read, and the rollout stage takes it up from there.

So rollouts that were played elsewhere go the way of all others: claims, markers, fingerprints (which hold the files'
checksums), `verify --repair`. What the files do not state of an outcome the run's own rules decide, and episodes of
scenarios that the run holds out are left out.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from emodistill import files
from emodistill.config import Config, Imported
from emodistill.domains import domain_named
from emodistill.errors import BadInput
from emodistill.records import Episode, Rules, Scenario
from emodistill.rollout.agreement import outcome
from emodistill.runs import RunDir, scenarios_of
from emodistill.shards import EPISODES, content_hash, read_table, write_records, write_table
from emodistill.sweeps.records import Played, Sweep
from emodistill.sweeps.scenarios import joined
from emodistill.tasks import Result, TaskContext

FOLDER, ABOUT = "imported", "sweep.json"
SHARD_EPISODES = 1000
_UNITS = {
    **EPISODES.units,
    "outcome_stated": "0 or 1: the file says how it ended",
    "turn.offer_stated": "0 or 1: the file says what was offered",
}


def store(run: RunDir, sweep: Sweep) -> None:
    """Write the sweep's shards, then what it is. The caller holds the run's lock.

    `BadInput` if the folder has other rollouts; the same files are written again, which mends what was lost.
    """
    named, former = _named(sweep.files), _recorded(run)
    if former is not None and former["files"] != named:
        raise BadInput(f"{run.root} holds another import already ({', '.join(former['files'])}). Choose another folder "
                       "with --out, or give all files at once.")  # fmt: skip
    if former is None and any(run.path("rollout").glob("*.identity")):
        raise BadInput(f"{run.root} holds rollouts that were played here. Choose another folder with --out.")
    for number, start in enumerate(range(0, len(sweep.played), SHARD_EPISODES)):
        _write(run, number, sweep.played[start : start + SHARD_EPISODES])
    shards = [_shard(run, number) for number in range(-(-len(sweep.played) // SHARD_EPISODES))]
    about = {
        "domain": sweep.domain,
        "files": named,
        "content": content_hash(shards)[:16],
        "shards": len(shards),
        "episodes": len(sweep.played),
        "longest": max(len(one.episode.turns) for one in sweep.played),
        "counts": counts(sweep),
        "left_out": [asdict(one) for one in sweep.left_out],
        "scenarios": [asdict(one) for one in sweep.scenarios],
    }
    files.write_sealed(run.path(FOLDER, ABOUT), about)


def _shard(run: RunDir, number: int) -> Path:
    return run.path(FOLDER, f"shard-{number:05d}.h5")


def _named(checksums: dict[str, str]) -> dict[str, str]:
    return {name: f"sha256 {checksum}" for name, checksum in sorted(checksums.items())}


def _write(run: RunDir, number: int, played: Sequence[Played]) -> None:
    columns = [
        *EPISODES.encode([one.episode for one in played]),
        ("outcome_stated", np.array([one.outcome_stated for one in played], np.bool_)),
        ("turn.offer_stated", np.array([flag for one in played for flag in one.offers_stated], np.bool_)),
    ]
    write_table(_shard(run, number), columns, _UNITS)


def counts(sweep: Sweep) -> dict[str, int]:
    """What is the files' own and what was read from words; `same`: stated offers that our reader finds in them too."""
    from emodistill.rollout.offers import read  # its patterns take a quarter of a second to compile

    turns = [
        (turn, stated)
        for one in sweep.played
        for turn, stated in zip(one.episode.turns, one.offers_stated, strict=True)
    ]
    domain = domain_named(sweep.domain)
    return {
        "offers_stated": sum(stated for _, stated in turns),
        "offers_read": sum(turn.reading.offer is not None and not stated for turn, stated in turns),
        "same": sum(
            stated and read(turn.utterance, domain.quantity, domain.role(turn.seat)).offer == turn.reading.offer
            for turn, stated in turns
        ),
        "outcomes_stated": sum(one.outcome_stated for one in sweep.played),
        "outcomes_by_rules": sum(not one.outcome_stated for one in sweep.played),
    }


def _recorded(run: RunDir) -> dict[str, Any] | None:
    path = run.path(FOLDER, ABOUT)
    try:
        about = files.read_sealed(path)
        Imported.model_validate({name: about.get(name) for name in Imported.model_fields})
        scenarios_of(about.get("scenarios"))
        return about
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BadInput(
            f"{path} is damaged ({' '.join(str(error).split())[:300]}). Give the same import-sweep command again."
        ) from None


def with_import(config: Config, run: RunDir) -> Config:
    """The configuration of a run in that folder: it names the sweep that was imported there, if one was."""
    about = _recorded(run)
    imported = None if about is None else Imported(**{name: about[name] for name in Imported.model_fields})
    if config.sweep.imported is not None and config.sweep.imported != imported:
        raise BadInput(f"sweep.imported names a sweep that is not in {run.root}. Take that section out: import-sweep "
                       "alone writes it.")  # fmt: skip
    if imported is None:
        return config
    merged = config.model_copy(update={"sweep": config.sweep.model_copy(update={"imported": imported})})
    _check(merged, imported, run)
    return merged


def _check(config: Config, imported: Imported, run: RunDir) -> None:
    """`BadInput` for settings under which the sweep cannot be used."""
    sweep = f"The sweep imported into {run.root}"
    if imported.domain not in config.scenarios.domains:
        raise BadInput(f"{sweep} is of {imported.domain}. Add that to scenarios.domains.")
    if config.iql.per_domain and len(config.scenarios.domains) > 1:
        raise BadInput(f"{sweep} is of {imported.domain} alone, so iql.per_domain has nothing to learn from for the "
                       "others. Set it to false.")  # fmt: skip
    if config.negotiation.max_messages < imported.longest:
        raise BadInput(f"{sweep} has dialogues of {imported.longest} messages. Set negotiation.max_messages to that or "
                       "more: rewards and states are shares of it.")  # fmt: skip
    if config.negotiation.replies != "text":
        raise BadInput(f"{sweep} holds plain words, no JSON. Set negotiation.replies to text.")


def scenarios_with(run: RunDir, own: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    """The run's scenarios when an imported sweep stands for its own."""
    return joined(own, _scenarios(run))


def _scenarios(run: RunDir) -> list[Scenario]:
    about = _recorded(run)
    return [] if about is None else scenarios_of(about["scenarios"])


def take_up(run: RunDir, config: Config, context: TaskContext, rules: Rules) -> Result:
    """One shard of the imported sweep as a rollout shard of this run."""
    source = run.path(FOLDER, f"{context.task}.h5")
    if not source.is_file():
        raise BadInput(f"{source} is missing. Give the same import-sweep command again, and then this one.")
    table, scenarios = read_table(source), run.scenarios()
    episodes = EPISODES.decode(table)
    kept = [
        episode if stated else _ended(episode, scenarios[episode.scenario_id], rules)
        for episode, stated in zip(episodes, np.asarray(table["outcome_stated"]).tolist(), strict=True)
        if scenarios[episode.scenario_id].split == "train"
    ]
    path = run.shard("rollout", context.task)
    write_records(path, sorted(kept, key=EPISODES.key), EPISODES)
    context.progress(len(kept), len(kept))
    held_out = len(episodes) - len(kept)
    return Result(len(kept), [path], usage={"imported": float(len(kept)), "held_out_left_out": float(held_out)})


def _ended(episode: Episode, scenario: Scenario, rules: Rules) -> Episode:
    """The outcome of a dialogue that is over: what the rules say of its last message, or a timeout."""
    end = outcome(scenario, episode.turns, rules)
    return episode if end is None else replace(episode, status=end.status, agreed=end.agreed)
