"""Episodes over a bad line: the same ones come out, once each, and what cannot be played is an error."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from emodistill.cluster.screen import render
from emodistill.cluster.status import summary
from emodistill.config import OpenAI
from emodistill.configfile import load_config
from emodistill.domains import build_scenarios, domain_named
from emodistill.errors import BadInput
from emodistill.execute import run_tasks
from emodistill.llm import make_model
from emodistill.policy.selectors import random_emotion
from emodistill.records import DEFAULT_STYLE
from emodistill.rollout.engine import Voice
from emodistill.rollout.sweep import record_episodes
from emodistill.runs import RunDir
from emodistill.shards import EPISODES, read_records, read_table

from builders import RULES, by_id, played, tasks
from fault_server import FAULTS, KEY, Endpoint, nothing, seeded
from helpers import ROOT, emodistill

SMOKE = ROOT / "yaml" / "smoke.yaml"


@pytest.fixture(scope="module")
def reference():
    """64 episodes over a good line; both seats are the endpoint's."""
    with pytest.MonkeyPatch.context() as patch, Endpoint() as endpoint:
        patch.setenv("OPENAI_API_KEY", KEY)
        model = make_model(OpenAI(backend="openai", model="m", base_url=endpoint.url))
        yield by_id(played(tasks(16, 4), model, random_emotion))
        model.close()


def test_thirty_percent_faults_change_no_episode(http_model, reference):
    with Endpoint(seeded(3), s_per_token=0.0002) as endpoint:
        model = http_model(endpoint.url, concurrency=8, timeout_s=0.5, retries=12)
        assert by_id(played(tasks(16, 4), model, random_emotion, in_flight=40)) == reference
        assert set(endpoint.faults) == {"", *FAULTS} and endpoint.faults[""] < 0.8 * endpoint.faults.total()
        assert set(endpoint.answered.values()) == {1}
        assert 1 < endpoint.most_open <= 8
    assert {episode.status for episode in reference.values()} >= {"agreement", "breakdown", "timeout"}


def recorded(path, model):
    voice = Voice(model, temperature=0.7, max_tokens=60)
    return record_episodes(
        path, tasks(16, 4), voice, voice, random_emotion, RULES, 40, lambda: False, lambda *_: None, DEFAULT_STYLE
    )


def test_a_spent_budget_keeps_the_finished_episodes_and_the_next_run_goes_on(http_model, reference, tmp_path):
    path, sent = tmp_path / "shard.h5", []
    with Endpoint() as endpoint:
        for _ in range(20):
            model, before = http_model(endpoint.url, concurrency=8, max_tokens_spent=60_000), sum(endpoint.billed)
            try:
                episodes, usage = recorded(path, model)
                break
            except BadInput as error:
                assert "60,000 tokens (max_tokens_spent)" in str(error)
            finally:
                sent.append(sum(endpoint.billed) - before)
    assert by_id(episodes) == reference
    assert len(sent) > 2 and max(sent) <= 60_000
    assert usage.prompt_tokens + usage.generated_tokens == sent[-1]


@pytest.fixture
def run(tmp_path, http_spec):
    """A run directory whose teacher is an endpoint; tasks are run in this process."""

    def make(endpoint):
        made = RunDir(tmp_path / "run")
        teacher = http_spec(endpoint.url, retries=1, usd_per_million_prompt=1.0)
        config = load_config(SMOKE)
        config = config.model_copy(update={"models": config.models.model_copy(update={"teacher": teacher})})
        made.create()
        made.write_config(config)
        made.write_scenarios(build_scenarios(config.scenarios, config.seed))
        return made

    return make


def test_errors_are_recorded_counted_left_out_and_played_again(run):
    with Endpoint() as endpoint:
        made = run(endpoint)
        poisoned = list(made.scenarios().values())[2]
        brief = domain_named("crad").brief(poisoned, "focal")
        endpoint.trouble = lambda body, attempt: "500" if brief in body["messages"][0]["content"] else ""
        shards = ("shard-00000", "shard-00001")
        assert run_tasks(str(made.root), "rollout", shards).kind == "done"
        episodes = read_records([made.shard("rollout", shard) for shard in shards], EPISODES)
        wrong = [episode for episode in episodes if episode.status == "error"]
        assert len(episodes) == 48 and {e.scenario_id for e in wrong} == {poisoned.id} and len(wrong) == 8
        assert all("HTTP 500" in e.error and e.agreed is None and not e.turns for e in wrong)
        found = summary(made)["stages"]["rollout"]
        assert found["errors"] == 8 and found["usage"]["usd"] == pytest.approx(found["usage"]["prompt_tokens"] / 1e6)
        assert "usd 0.0" in render(summary(made))
        assert run_tasks(str(made.root), "judge", shards).kind == "done"
        assert run_tasks(str(made.root), "dataset", ("pairs",)).kind == "done"
        trained_on = set(read_table(made.path("dataset", "pairs-emotion.h5"))["episode_id"])
        assert trained_on == {e.id for e in episodes} - {e.id for e in wrong}

        endpoint.trouble, asked = nothing, len(endpoint.bodies)
        assert run_tasks(str(made.root), "rollout", shards).kind == "done"
        again = read_records([made.shard("rollout", shard) for shard in shards], EPISODES)
        assert all(brief in body["messages"][0]["content"] for body in endpoint.bodies[asked:])
        assert [e for e in again if e.scenario_id != poisoned.id] == [e for e in episodes if e not in wrong]
        assert "error" not in {e.status for e in again} and summary(made)["stages"]["rollout"]["errors"] == 0


@contextlib.contextmanager
def processes_seen():
    """The command lines of all processes, looked at again and again while the block runs."""
    seen, ended = set(), threading.Event()

    def look():
        while not ended.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            ended.wait(0.05)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        ended.set()
        looking.join()


@pytest.mark.slow
def test_the_key_is_in_no_file_output_command_line_or_sbatch_text_of_a_run(tmp_path):
    """Also where the endpoint repeats it in its errors, and in the run that ends in one."""
    environment = {**os.environ, "TEST_KEY": KEY, "OPENAI_LOG": "debug"}

    def once(endpoint, out):
        spec = f"{{backend: openai, model: m, base_url: '{endpoint.url}', api_key_env: TEST_KEY, timeout_s: 1}}"
        options = ["--set", f"models.teacher={spec}", "--set", "sweep.rollouts=6", "--until", "rollout"]
        with processes_seen() as seen:
            done = emodistill("--debug", "run", SMOKE, "--out", out, *options, env=environment, check=False)
        assert any(str(out) in line for line in seen) and not [line for line in seen if KEY in line]
        written = [path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()]
        assert written and not [data for data in written if KEY.encode() in data]
        assert KEY not in done.stdout + done.stderr
        planned = emodistill("plan", SMOKE, *options[:4], "--profile", "one-machine", env=environment)
        assert "#SBATCH" in planned.stdout and KEY not in planned.stdout + planned.stderr
        return done

    with Endpoint(lambda body, attempt: "" if attempt or len(body["messages"]) > 2 else "500") as endpoint:
        assert once(endpoint, tmp_path / "fine").returncode == 0
        assert endpoint.keys == {f"Bearer {KEY}"} and endpoint.faults["500"]
    with Endpoint(lambda body, attempt: "401") as endpoint:
        done = once(endpoint, tmp_path / "refused")
        assert "HTTP 401" in done.stderr and "TEST_KEY" in done.stderr
        assert len(endpoint.bodies) <= 36  # each episode at most once
