"""The dataset stage: training episodes and verdicts to `transitions.h5` and one `pairs` file for each recipe."""

from itertools import chain

import numpy as np

from emodistill.config import EMOTIONLESS, Config
from emodistill.dataset.rewards import advantages, step_rewards, terminal_reward
from emodistill.dataset.transitions import UNITS, concatenate, transitions
from emodistill.errors import RunFailed
from emodistill.records import Dialogue, Episode, Scenario, ScoredTurn, Verdict
from emodistill.rollout.prompts import messages, without_emotion
from emodistill.runs import RunDir
from emodistill.shards import DIALOGUES, EPISODES, VERDICTS, read_records, write_records, write_table
from emodistill.tasks import Result, TaskContext


def build_dataset(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Read every rollout and judge shard of the run and write the training files."""
    shards = context.upstream["rollout"]
    scenarios = run.scenarios()
    episodes = [e for e in read_records((run.shard("rollout", k) for k in shards), EPISODES) if e.status != "error"]
    if not episodes:
        raise RunFailed(
            "Every rollout of the sweep ended in an error, so there is nothing to train on. See the errors in rollout/."
        )
    verdicts = {v.episode_id: v for v in read_records((run.shard("judge", k) for k in shards), VERDICTS)}
    scores = [np.array(verdicts[e.id].scores) for e in episodes]
    groups = np.concatenate([[e.scenario_id] * len(s) for e, s in zip(episodes, scores, strict=True)])
    advantage = np.split(advantages(np.concatenate(scores), groups), np.cumsum([len(s) for s in scores])[:-1])

    outcomes = [_outcome(scenarios[e.scenario_id], e, config) for e in episodes]
    hybrids = [score + 0.5 * outcome.sum() for score, outcome in zip(scores, outcomes, strict=True)]
    rows = zip(episodes, outcomes, scores, hybrids, strict=True)
    limit = config.negotiation.max_messages
    table = concatenate([transitions(scenarios[e.scenario_id], e, limit, o, s, q) for e, o, s, q in rows]).columns()
    files = [run.path("dataset", "transitions.h5")]
    write_table(files[0], table.items(), UNITS)
    for recipe in ("emotion", EMOTIONLESS):
        dialogues = [
            _dialogue(scenarios[e.scenario_id], e, verdicts[e.id], a, o.sum(), recipe)
            for e, a, o in zip(episodes, advantage, outcomes, strict=True)
        ]
        files.append(run.path("dataset", f"pairs-{recipe}.h5"))
        write_records(files[-1], dialogues, DIALOGUES)
    return Result(
        rows=len(table["a_tm1"]), files=files, usage={"missing_scores": float(np.isnan(list(chain(*scores))).sum())}
    )


def _outcome(scenario: Scenario, episode: Episode, config: Config) -> np.ndarray:
    rewards = step_rewards(scenario, episode, config.negotiation.max_messages)
    rewards[-1] += terminal_reward(episode)
    return rewards


def _dialogue(
    scenario: Scenario, episode: Episode, verdict: Verdict, advantage: np.ndarray, ret: float, recipe: str
) -> Dialogue:
    """The focal side's chat, exactly as it was prompted; without emotion blocks for the emotion-free recipe."""
    focal = episode.focal_turns()
    turns = without_emotion(episode.turns) if recipe == EMOTIONLESS else episode.turns
    last = turns[focal[-1].index]
    chat = (*messages(scenario, turns[: last.index], "focal", last.emotion), ("assistant", last.utterance))
    scored = tuple(
        ScoredTurn(2 + 2 * t, turn.emotion or "", score, float(advantage[t]), float(ret), score + 0.5 * float(ret))
        for t, (turn, score) in enumerate(zip(focal, verdict.scores, strict=True))
    )
    return Dialogue(episode.id, scenario.id, chat, scored)
