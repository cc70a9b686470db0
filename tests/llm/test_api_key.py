"""Somebody with an API key alone: what a run may cost is told before it, what it did cost after it."""

import json
import os
import re

import pytest

from emodistill.cluster.estimate import speech
from emodistill.cluster.plan import check
from emodistill.cluster.profiles import load_profile
from emodistill.configfile import load_config
from emodistill.errors import BadInput

from fault_server import KEY, Endpoint
from helpers import ROOT, emodistill

API = ROOT / "yaml" / "api.yaml"
ROLES = ("teacher", "counterparty", "judge")
ELSEWHERE = tuple(f"models.{role}.base_url=https://llm.test/v1" for role in ROLES)
SMALL = ("scenarios.train=4", "scenarios.held_out=2", "sweep.rollouts=3", "sweep.shard_episodes=6")


def test_the_plan_says_what_the_endpoints_may_cost_and_where_a_price_lacks(monkeypatch):
    monkeypatch.delenv("LLM_API_KEY", raising=False)
    told = emodistill("plan", API).stdout
    found = {(one.stage, one.key): one for one in speech(load_config(API))}
    # 200 rollouts of 6 replies a side, 120 tokens at most, prompts of 400 + 6 × (120 + 20) tokens on average
    teacher = found["rollout", "models.teacher"]
    assert (teacher.replies, teacher.generated_tokens, teacher.prompt_tokens) == (1200, 144_000, 1200 * 1240)
    assert teacher.usd == pytest.approx(0.144 * 1.5 + 1.488 * 0.5)
    judge = found["judge", "models.judge"]  # 4 tokens and 24 of {"choice": "…"}; a longer brief
    assert (judge.generated_tokens, judge.prompt_tokens) == (1200 * 28, 1200 * 1320)
    assert found["evaluate", "models.student"].usd is None
    assert f"at most {sum(one.usd or 0 for one in found.values()):,.2f} USD" in told
    assert (
        "models.teacher, models.counterparty, models.judge stop asking at 10 USD, spent by all of them together."
        in told
    )
    llm = speech(load_config(API, ("evaluate.variants=[vanilla-llm, vanilla-slm]",)))
    said = {one.key: one.replies for one in llm if one.stage == "evaluate"}
    cell = 10 * 2 * 6
    assert said == {"models.student": cell, "models.teacher": cell, "models.counterparty": 2 * cell}
    named = (
        "evaluate.variants=[full]",
        "evaluate.unseen=[full]",
        "evaluate.counterparties={dear: {backend: openai, model: big, base_url: https://dear.test/v1, "
        "api_key_env: DEAR_KEY, usd_per_million_generated: 10}}",
    )
    dear = next(one for one in speech(load_config(API, named)) if one.key == "evaluate.counterparties.dear")
    assert (dear.replies, dear.usd) == (cell, pytest.approx(cell * 120 * 10 / 1e6))
    monkeypatch.setenv("LLM_API_KEY", KEY)
    with pytest.raises(
        BadInput, match=r"evaluate\.counterparties\.dear: the environment variable DEAR_KEY holds no key"
    ):
        check(load_config(API, (*named, *ELSEWHERE)), load_profile("local"), ["evaluate"])
    free = emodistill("plan", ROOT / "yaml" / "paper" / "crad.yaml").stdout
    assert "No price is given for models.teacher, models.counterparty, models.judge: set usd_per_million_prompt" in free


@pytest.mark.slow
def test_a_run_over_one_endpoint_costs_what_the_endpoint_billed(tmp_path):
    with Endpoint() as endpoint:
        urls = [part for role in ROLES for part in ("--set", f"models.{role}.base_url={endpoint.url}")]
        small = [part for override in SMALL for part in ("--set", override)]
        environment = {**os.environ, "LLM_API_KEY": KEY}
        run = tmp_path / "run"
        emodistill("run", API, *urls, *small, "--until", "judge", "--out", run, env=environment)
        prompt, generated = endpoint.billed
    told = emodistill("cost", run).stdout
    usd = (prompt * 0.5 + generated * 1.5) / 1e6
    assert re.search(rf"^all +4 +{prompt:,} +{generated:,} +{usd:.4f}$", told, re.MULTILINE), told
    assert KEY not in told
    models = json.loads((run / "cost.json").read_text())["models"]
    assert set(models) == {"rollout", "judge"}
    plan = emodistill("plan", API, *urls, *small).stdout
    at_most = float(re.search(r"at most ([\d.]+) USD", plan)[1])
    assert usd <= at_most
