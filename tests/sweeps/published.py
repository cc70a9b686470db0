"""Our own episodes written in the authors' published format."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emodistill.records import Episode, Scenario, Turn

_FINAL = {"agreement": "accept", "breakdown": "breakdown", "timeout": "timeout"}


def message(turn: Turn) -> dict[str, Any]:
    state = "accept" if turn.reading.accepts else "breakdown" if turn.reading.walks else "offer"
    speaker = "seller" if turn.seat == "focal" else "buyer"
    offer = turn.reading.offer
    return {"turn": turn.index, "speaker": speaker, "message": turn.raw, "state": state, "requested_days": offer}


def episode_result(episode: Episode, scenario: Scenario) -> dict[str, Any]:
    return {
        "scenario": scenario.id,
        "iteration": episode.rollout,
        "success": episode.status == "agreement",
        "final_state": _FINAL[episode.status],
        "final_days": episode.agreed,
        "creditor_target_days": scenario.focal_target,
        "debtor_initial_days": scenario.counterparty_target,
        "rounds": len(episode.turns),
        "emotion_sequence": [turn.emotion for turn in episode.focal_turns()],
        "dialog": [message(turn) for turn in episode.turns],
        "step_rewards": [],
        "judge_turn_scores": [5 for _ in episode.focal_turns()],
    }


def write(path: Path, rows: Iterable[Any], **whole: Any) -> Path:
    about = {"experiment_type": "random_sweep", "config": {"model_creditor": "m", "max_dialog_len": 30}, **whole}
    path.write_text(json.dumps({**about, "episode_results": list(rows)}), encoding="utf-8")
    return path
