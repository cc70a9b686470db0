"""Judge shards are sidecars: another judge, through the command and over HTTP, touches no rollout."""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from emodistill.shards import EPISODES, VERDICTS, read_records

from helpers import emodistill


class Strict(BaseHTTPRequestHandler):
    """A judge of few words: 3 (so the score is 4), but to long dialogues nothing that is a score."""

    broken = True

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = "3" if body["messages"][-1]["content"].count("</") < 5 else "I would say 3"
        message = {"role": "assistant", "content": said}
        data = json.dumps(
            {"id": "x", "object": "chat.completion", "created": 0, "model": "m",
             "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
        ).encode()  # fmt: skip
        self.send_response(500 if Strict.broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Strict)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture
def judge_run(tmp_path, monkeypatch):
    """A small scripted sweep and its verdicts; called with other settings, the same run again."""
    monkeypatch.setenv("OPENAI_API_KEY", "unused")

    def run(*changes, more=(), check=True):
        small = ("scenarios.train=2", "sweep.rollouts=3", "sweep.shard_episodes=4", "negotiation.max_messages=8")
        arguments = [part for change in (*small, *changes) for part in ("--set", change)]
        return emodistill(
            "run", "yaml/smoke.yaml", "--out", tmp_path, "--until", "judge", *arguments, *more, check=check
        )

    run()
    return run


def verdicts(out):
    return read_records(sorted((out / "judge").glob("*.h5")), VERDICTS)


def rollouts(out):
    return {path: path.read_bytes() for path in (out / "rollout").iterdir() if path.is_file()}


def test_other_repeats_redo_the_verdicts_and_no_rollout(judge_run, tmp_path):
    before, once = rollouts(tmp_path), verdicts(tmp_path)
    refused = judge_run("judge.repeats=2", check=False)
    assert refused.returncode == 2 and "judge.repeats: 1 → 2" in refused.stderr
    done = judge_run("judge.repeats=2", more=("--fresh",))
    assert "judge: 2 of 2" in done.stderr and "rollout" not in done.stderr
    assert {len(turn) for v in once for turn in v.scores} == {1}
    assert {len(turn) for v in verdicts(tmp_path) for turn in v.scores} == {2}
    assert rollouts(tmp_path) == before


@pytest.mark.slow
def test_another_judge_that_fails_and_then_answers(judge_run, tmp_path, port):
    def status():
        found = json.loads(emodistill("status", tmp_path, "--json").stdout)["stages"]["judge"]
        return found["errors"], found["usage"]["missing_scores"]

    before = rollouts(tmp_path)
    episodes = read_records(sorted((tmp_path / "rollout").glob("*.h5")), EPISODES)
    turns = {e.id: e.focal_turns() for e in episodes}
    other = f"models.judge={{backend: openai, model: m, base_url: 'http://127.0.0.1:{port}/v1', retries: 0}}"
    judge_run(other, more=("--fresh",))
    assert all(v.error and all(map(math.isnan, v.turn_scores())) for v in verdicts(tmp_path))
    assert status() == (6, sum(map(len, turns.values())))

    Strict.broken = False
    judge_run(other)
    found = {v.episode_id: v for v in verdicts(tmp_path)}
    for key, said in turns.items():
        assert [score == 4 for score in found[key].turn_scores()] == [turn.index < 4 for turn in said]
    late = sum(turn.index >= 4 for said in turns.values() for turn in said)
    assert late and status() == (0, late)
    assert rollouts(tmp_path) == before
