"""Focal-turn transitions of the sweep, as columns (METHOD.md §3): what offline RL trains on."""

from dataclasses import dataclass, fields

import numpy as np

from emodistill.dataset.states import NO_EMOTION, STATE_NAMES, state_before
from emodistill.emotions import GOEMOTIONS
from emodistill.records import Episode, Scenario
from emodistill.runs import RunDir
from emodistill.shards import read_table

_STATE = "pos and shares: " + "; ".join(STATE_NAMES)
_EMOTION, _SCORE = "index into GoEmotions, 28: none yet", "1..10, NaN: missing"
UNITS = {
    "s_tm1": _STATE, "last_tm1": _EMOTION, "a_tm1": _EMOTION, "outcome_t": "reward", "judge_t": _SCORE,
    "hybrid_t": "judge score + reward / 2, NaN: missing", "s_t": _STATE, "last_t": _EMOTION, "done_t": "0 or 1",
    "scenario": "place in scenarios.json",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Transitions:
    """n transitions; `_tm1` is before the focal turn, `_t` before the next one (zeros where done)."""

    s_tm1: np.ndarray  # float32 [n, 9]
    last_tm1: np.ndarray  # int64 [n], last emotion shown, 28: none yet
    a_tm1: np.ndarray  # int64 [n], emotion shown
    outcome_t: np.ndarray  # float64 [n], Δ_t, with the terminal reward on the last focal turn
    judge_t: np.ndarray  # float64 [n], r_t, NaN if missing
    hybrid_t: np.ndarray  # float64 [n], q_t, NaN if missing
    s_t: np.ndarray  # float32 [n, 9]
    last_t: np.ndarray  # int64 [n]
    done_t: np.ndarray  # bool [n]; rows of an episode follow one another, and its last one is done
    scenario: np.ndarray  # int64 [n], place in scenarios.json

    def columns(self) -> dict[str, np.ndarray]:
        """For storage."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def transitions(
    scenario: Scenario, episode: Episode, max_messages: int, outcome: np.ndarray, judge: np.ndarray, hybrid: np.ndarray,
    place: int,
) -> Transitions:  # fmt: skip
    """One episode's transitions. Every focal turn must show an emotion; signals are float [focal turns]."""
    starts = range(0, len(episode.turns), 2)
    states = [state_before(scenario, episode.turns[:i], max_messages) for i in starts]
    s = np.stack([state for state, _ in states])
    last = np.array([emotion for _, emotion in states], np.int64)
    action = np.array([GOEMOTIONS.index(str(turn.emotion)) for turn in episode.focal_turns()], np.int64)
    done = np.zeros(len(s), bool)
    done[-1] = True
    s_next = np.vstack([s[1:], np.zeros((1, len(STATE_NAMES)), np.float32)])
    last_next = np.append(last[1:], NO_EMOTION)
    return Transitions(s, last, action, outcome, judge, hybrid, s_next, last_next, done, np.full(len(s), place))


def stored_transitions(run: RunDir) -> Transitions:
    """What the dataset stage has written."""
    table = read_table(run.path("dataset", "transitions.h5"))
    return Transitions(**{name: np.asarray(column) for name, column in table.items()})


def take(data: Transitions, rows: np.ndarray) -> Transitions:
    """The rows of a mask or an index."""
    return Transitions(**{name: column[rows] for name, column in data.columns().items()})


def concatenate(parts: list[Transitions]) -> Transitions:
    """Many episodes' transitions as one."""
    columns = [part.columns() for part in parts]
    return Transitions(**{name: np.concatenate([c[name] for c in columns]) for name in columns[0]})
