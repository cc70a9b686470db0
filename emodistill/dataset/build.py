"""The dataset stage: training episodes and verdicts to `transitions.h5` and one `pairs` file for each recipe."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from emodistill.chat import Messages
from emodistill.config import EMOTIONLESS, Config
from emodistill.dataset.rewards import advantages, turn_rewards
from emodistill.dataset.transitions import UNITS, concatenate, transitions
from emodistill.errors import RunFailed
from emodistill.records import Dialogue, Episode, Scenario, ScoredTurn, Style, Turn, Verdict
from emodistill.rollout.prompts import messages, reply_of, without_emotion
from emodistill.runs import RunDir
from emodistill.shards import DIALOGUES, EPISODES, VERDICTS, read_records, write_records, write_table
from emodistill.tasks import Result, TaskContext


def build_dataset(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Read every rollout and judge shard of the run and write the training files."""
    shards = [shard for shard in context.upstream["rollout"] if shard in context.upstream["judge"]]
    scenarios = run.scenarios()
    episodes = [e for e in read_records((run.shard("rollout", k) for k in shards), EPISODES) if e.status != "error"]
    if not episodes:
        raise RunFailed(
            "Every rollout of the sweep ended in an error, so there is nothing to train on. See the errors in rollout/."
        )
    verdicts = {v.episode_id: v for v in read_records((run.shard("judge", k) for k in shards), VERDICTS)}
    scores = [np.array(verdicts[e.id].turn_scores()) for e in episodes]
    groups = np.concatenate([[e.scenario_id] * len(s) for e, s in zip(episodes, scores, strict=True)])
    advantage = np.split(advantages(np.concatenate(scores), groups), np.cumsum([len(s) for s in scores])[:-1])

    limit = config.negotiation.max_messages
    outcomes = [turn_rewards(scenarios[e.scenario_id], e, limit) for e in episodes]
    hybrids = [score + 0.5 * outcome.sum() for score, outcome in zip(scores, outcomes, strict=True)]
    rows = zip(episodes, outcomes, scores, hybrids, strict=True)
    style = Style(config.negotiation.layout, config.negotiation.replies)
    place = {name: k for k, name in enumerate(scenarios)}
    made = (transitions(scenarios[e.scenario_id], e, limit, o, s, q, place[e.scenario_id]) for e, o, s, q in rows)
    table = concatenate(list(made)).columns()
    files = [run.path("dataset", "transitions.h5")]
    write_table(files[0], table.items(), UNITS)
    for recipe in ("emotion", EMOTIONLESS):
        dialogues = list(
            chain.from_iterable(
                _dialogues(scenarios[e.scenario_id], e, _scored(e, verdicts[e.id], a, o.sum()), recipe, style)
                for e, a, o in zip(episodes, advantage, outcomes, strict=True)
            )
        )
        files.append(run.path("dataset", f"pairs-{recipe}.h5"))
        write_records(files[-1], dialogues, DIALOGUES)
    return Result(
        rows=len(table["a_tm1"]), files=files, usage={"missing_scores": float(np.isnan(list(chain(*scores))).sum())}
    )


def _scored(episode: Episode, verdict: Verdict, advantage: np.ndarray, ret: float) -> list[ScoredTurn]:
    """The signals of each focal turn; `message` is where the response stands in the chat layout."""
    rows = zip(episode.focal_turns(), verdict.turn_scores(), advantage.tolist(), strict=True)
    return [
        ScoredTurn(2 + 2 * t, turn.emotion or "", score, a, float(ret), score + 0.5 * float(ret))
        for t, (turn, score, a) in enumerate(rows)
    ]


def _dialogues(
    scenario: Scenario, episode: Episode, scored: list[ScoredTurn], recipe: str, style: Style
) -> Iterator[Dialogue]:
    """The focal side's chat, exactly as it was prompted; without emotion blocks for the emotion-free recipe.

    In the chat layout one dialogue holds all turns; in the paper's layout each turn is a dialogue of its own.
    """
    turns = without_emotion(episode.turns) if recipe == EMOTIONLESS else episode.turns
    focal = [turn for turn in turns if turn.seat == "focal"]

    def chat(turn: Turn) -> Messages:
        asked = messages(scenario, turns[: turn.index], "focal", turn.emotion, style)
        return (*asked, ("assistant", reply_of(turn, style)))

    if style.layout == "chat":
        yield Dialogue(episode.id, scenario.id, chat(focal[-1]), tuple(scored))
        return
    for turn, one in zip(focal, scored, strict=True):
        yield Dialogue(f"{episode.id}-m{turn.index:02d}", scenario.id, chat(turn), (replace(one, message=1),))
