"""100,000 scripted episodes of 12 messages: writing, scanning and reading our shards against other layouts.

The simulator plays 540 real episodes. A message joins its utterances, drawn at random, up to about 245 bytes, so that
no two messages are alike and an episode has 2,950 bytes; offers, emotions and statuses are those that were played.
The simulator's few phrases still compress better than a model's text would, so everything is also timed on `free`
text, words of the same utterances in random order: gzip makes about 2.5 times less of it, as of English prose.

An arm turns a list of `Episode` into closed files on disk, synced, of 10,000 episodes each; the peers write text and
no more columns than that takes. Best of 3 rounds, arms in turn; peers on fewer episodes where they are slow.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
from isal import isal_zlib

from emodistill.config import Config
from emodistill.configfile import load_config, validate
from emodistill.domains import build_scenarios
from emodistill.ledger import Ledger
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.records import Episode, Rules, Turn
from emodistill.rollout.engine import Usage, Voice, play
from emodistill.rollout.sweep import episode_tasks
from emodistill.runs import Marker, RunDir
from emodistill.shards import EPISODES, open_table, read_records, write_records
from emodistill.stages import STAGES
from jobs.bench import Measured

EPISODES_WRITTEN, SHARD, MESSAGES, MESSAGE_BYTES, ROUNDS = 100_000, 10_000, 12, 242, 3
NUMBERS = (
    "status", "rollout", "seed", "messages", "agreed", "turn.emotion", "turn.offer", "turn.accepts", "turn.walks"
)  # fmt: skip
CONFIG = Path(__file__).parents[2] / "yaml" / "smoke.yaml"
_OPEN = """
import sys, time
from pathlib import Path
from emodistill.cluster.begin import changed_tasks
from emodistill.cluster.status import summary
from emodistill.ledger import Ledger
from emodistill.runs import RunDir
from emodistill.stages import STAGES

started = time.perf_counter()
run = RunDir.existing(Path(sys.argv[1]))
config = run.config()
changed, ledger = changed_tasks(run, config), Ledger(run, config)
missing = {name: len(ledger.to_do(stage)) for name, stage in STAGES.items()}
assert not changed and (missing["rollout"], missing["judge"]) == (0, 1), missing
decided = time.perf_counter()
summary(run)
print(decided - started, time.perf_counter() - decided)
"""


def run() -> Measured:
    """All arms and the opening of 1,000 shards."""
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory(dir=CONFIG.parents[1] / "results") as name:
        folder = Path(name)
        for text in ("scripted", "free"):
            figures |= {f"{text}: {key}": value for key, value in _layouts(folder, text).items()}
        figures |= _opening(folder / "run")
    asked = {
        "write": ("scripted: ours, written episodes/s", ">= 50000", lambda x: x >= 50_000),
        "size": ("scripted: ours, bytes an episode", "<= 1400", lambda x: x <= 1_400),
        "size of free text": ("free: ours, bytes an episode", "<= 1400", lambda x: x <= 1_400),
        "scan": ("scripted: ours, scanned episodes/s", ">= 400000", lambda x: x >= 400_000),
        "opening": ("1,000 shards: opened and decided, s", "< 1", lambda x: x < 1),
    }
    return Measured(
        figures,
        {key: f"{figure} {bound}" for key, (figure, bound, _) in asked.items()},
        {key: met(figures[figure]) for key, (figure, _, met) in asked.items()},
    )


def _layouts(folder: Path, text: str) -> dict[str, object]:
    made = list(_episodes(text))
    shards = [made[at : at + SHARD] for at in range(0, len(made), SHARD)]
    files = [folder / f"{text}-{k}.h5" for k in range(len(shards))]
    other = folder / "peer"
    payload = "".join(turn.utterance for episode in shards[0] for turn in episode.turns).encode()

    def ours() -> None:
        for path, records in zip(files, shards, strict=True):
            write_records(path, records, EPISODES)

    arms: dict[str, tuple[int, Callable[[], object]]] = {
        "ours, written episodes/s": (len(made), ours),
        "ours, scanned episodes/s": (len(made), lambda: [_numbers(path) for path in files]),
        "ours, text and numbers decoded, episodes/s": (SHARD, lambda: read_records(files[:1], EPISODES)),
        "peer, one HDF5 group an episode, written episodes/s": (SHARD // 5, lambda: _groups(other, made[: SHARD // 5])),
        "peer, variable-length strings, written episodes/s": (SHARD, lambda: _variable(other, shards[0])),
        "peer, raw file, written episodes/s": (SHARD, lambda: _raw(other, shards[0])),
        "limit, isal gzip of the text in one thread, episodes/s": (SHARD, lambda: isal_zlib.compress(payload, 1)),
        "limit, zlib gzip of the text in one thread, episodes/s": (SHARD, lambda: zlib.compress(payload, 1)),
        "limit, the text written and synced, episodes/s": (SHARD, lambda: _synced(other, payload)),
    }
    sizes: dict[str, int] = {}
    best, cpu = dict.fromkeys(arms, float("inf")), dict.fromkeys(arms, float("inf"))
    for _ in range(ROUNDS):
        for name, (_, arm) in arms.items():
            wall, used = time.perf_counter(), time.process_time()
            arm()
            best[name] = min(best[name], time.perf_counter() - wall)
            cpu[name] = min(cpu[name], time.process_time() - used)
            if name.startswith("peer"):
                sizes[name.replace("written episodes/s", "bytes an episode")] = other.stat().st_size // arms[name][0]
            other.unlink(missing_ok=True)
    written = "ours, written episodes/s"
    return {
        **{name: round(count / best[name]) for name, (count, _) in arms.items()},
        **sizes,
        "ours, processor microseconds an episode": round(cpu[written] / len(made) * 1e6, 1),
        "ours, bytes an episode": round(sum(path.stat().st_size for path in files) / len(made)),
        "text, bytes an episode": round(len(payload) / SHARD),
    }


def _episodes(text: str) -> Iterator[Episode]:
    rng, config = random.Random(0), load_config(CONFIG)
    scripted = Voice(ScriptedModel(), 0.7, 100)
    todo = episode_tasks(build_scenarios(config.scenarios, 1), 60, 1, "bench")
    played = list(play(todo, scripted, scripted, random_emotion, Rules(MESSAGES), 128, Usage()))
    utterances = [turn.utterance for episode in played for turn in episode.turns]
    words = [word for utterance in utterances for word in utterance.split()]
    drawn, width = (utterances, 50) if text == "scripted" else (words, 5)
    turns = [turn for episode in played for turn in episode.turns]
    at_least = MESSAGE_BYTES - width // 2
    for k in range(EPISODES_WRITTEN):
        episode, said = played[k % len(played)], rng.choices(turns, k=MESSAGES)
        yield replace(
            episode,
            id=f"crad-{k // 1000:04d}-r{k % 1000:04d}",
            scenario_id=f"crad-{k // 1000:04d}",
            rollout=k % 1000,
            seed=rng.getrandbits(63),
            turns=tuple(_turn(i, turn, _message(rng, drawn, at_least)) for i, turn in enumerate(said)),
        )


def _message(rng: random.Random, drawn: list[str], at_least: int) -> str:
    message = rng.choice(drawn)
    while len(message) < at_least:
        message += " " + rng.choice(drawn)
    return message


def _turn(index: int, turn: Turn, message: str) -> Turn:
    seat = "counterparty" if index % 2 else "focal"
    emotion = None if index % 2 else turn.emotion or "neutral"
    return Turn(index, seat, message, turn.reading, emotion, message)


def _numbers(path: Path) -> list[object]:
    with open_table(path) as columns:
        return [columns[name] for name in NUMBERS]


def _groups(path: Path, episodes: list[Episode]) -> None:
    with h5py.File(path, "w") as file:
        for episode in episodes:
            group = file.create_group(episode.id)
            group.attrs["status"], group.attrs["seed"] = episode.status, episode.seed
            group["text"] = np.frombuffer("\0".join(turn.utterance for turn in episode.turns).encode(), np.uint8)
    _sync(path)


def _variable(path: Path, episodes: list[Episode]) -> None:
    with h5py.File(path, "w") as file:
        turns = [turn for episode in episodes for turn in episode.turns]
        texts = {
            "utterance": [turn.utterance for turn in turns],
            "emotion": [turn.emotion or "" for turn in turns],
            "id": [episode.id for episode in episodes],
            "scenario_id": [episode.scenario_id for episode in episodes],
            "status": [episode.status for episode in episodes],
        }
        for name, column in texts.items():
            file.create_dataset(name, data=column, dtype=h5py.string_dtype())
        file["offer"] = np.array([turn.reading.offer or np.nan for turn in turns])
        file["seed"] = np.array([episode.seed for episode in episodes])
    _sync(path)


def _raw(path: Path, episodes: list[Episode]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for e in episodes:
            row = [e.id, e.seed, e.status, e.agreed, [(t.utterance, t.emotion, t.reading.offer) for t in e.turns]]
            file.write(json.dumps(row) + "\n")
    _sync(path)


def _synced(path: Path, payload: bytes) -> None:
    path.write_bytes(payload)
    _sync(path)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _opening(root: Path) -> dict[str, object]:
    """A run of 1,000 finished rollout and judge shards, opened by a new process that finds the one that is missing."""
    plain = load_config(CONFIG).model_dump(mode="json")
    changed = {"scenarios": {"train": 10, "held_out": 1}, "sweep": {"rollouts": 100, "shard_episodes": 1}}
    config = validate(Config, {**plain, **changed}, "bench")
    run = RunDir(root)
    root.mkdir()
    run.write_config(config)
    for stage in (STAGES["rollout"], STAGES["judge"]):
        ledger = Ledger(run, config)
        for task in stage.tasks(config)[: 1000 - (stage.name == "judge")]:
            claim, path = ledger.claim(stage, task), run.shard(stage.name, task)
            run.begin(stage.name, task, claim)
            path.touch()
            recorded = {str(path.relative_to(root)): "0" * 64}
            run.mark(Marker(stage.name, task, claim.fingerprint, claim.inputs, 100, 0, 1.0, recorded))
    decided, summed, whole = [], [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", _OPEN, str(root)], stdout=subprocess.PIPE, text=True, check=True)
        whole.append(time.perf_counter() - started)
        one, other = map(float, done.stdout.split())
        decided.append(one)
        summed.append(other)
    return {
        "1,000 shards: opened and decided, s": round(min(decided), 3),
        "1,000 shards: status, s": round(min(summed), 3),
        "1,000 shards: both in a new process with its imports, s": round(min(whole), 3),
    }
