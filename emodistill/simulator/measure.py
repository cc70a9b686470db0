"""What `emodistill simulator` reports: the oracle against fixed and random emotions, and how well words are heard."""

from collections import Counter
from typing import Any

import numpy as np

from emodistill.config import Scenarios
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.emotions import GOEMOTIONS
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import fixed, random_emotion
from emodistill.records import Rules
from emodistill.rollout.engine import Usage, Voice, play
from emodistill.rollout.sweep import episode_tasks
from emodistill.simulator.hearing import heard_emotion, quotes_of
from emodistill.simulator.oracle import solve
from emodistill.simulator.plans import PLANS
from emodistill.simulator.rehearsal import IN_FLIGHT, oracle_select, rehearse

HEARING_ROLLOUTS = 2  # episodes of each of a domain's 100 scenarios


def measure_oracle(domain: str, rules: Rules, persona: str, episodes: int, seed: int) -> dict[str, Any]:
    """Expected returns over the domain's built-in held-out scenarios, each with its Monte Carlo check."""
    settings = Scenarios(domains=(domain,))
    scenarios = build_scenarios(settings, seed)[settings.train :]
    solved = {(s.id, plan): solve(s, plan, persona, rules) for s in scenarios for plan in range(len(PLANS))}
    means = np.mean([[found.oracle, found.random, *found.fixed] for found in solved.values()], axis=0)
    values = dict(zip(("oracle", "random", *GOEMOTIONS), means.tolist(), strict=True))
    best = max(GOEMOTIONS, key=lambda emotion: values[emotion])
    selects = {
        "oracle": ("oracle", lambda plan: oracle_select(solved, plan)),
        "best_fixed": (best, lambda plan: fixed(best)),
        "random": ("random", lambda plan: random_emotion),
        "neutral": ("neutral", lambda plan: fixed("neutral")),
    }
    found: dict[str, Any] = {
        "domain": domain,
        "max_messages": rules.max_messages,
        "persona": persona,
        "scenarios": len(scenarios),
    }
    for name, (value, select_for) in selects.items():
        sample = rehearse(scenarios, select_for, rules, persona, episodes, seed)
        found[name] = {
            "return": values[value],
            "monte_carlo": sample.mean,
            "standard_error": sample.standard_error,
            "n": sample.n,
            "utility": sample.utility,
        }
    found["best_fixed"] = {"emotion": best, **found["best_fixed"]}
    gain = values["oracle"] - values["random"]
    return {**found, "best_fixed_share": (values[best] - values["random"]) / gain}


def render_oracle(found: dict[str, Any]) -> str:
    """The same as a table."""
    lines = [
        f"simulated: {found['domain']}, {found['scenarios']} scenarios, max_messages {found['max_messages']}, "
        f"counterparty {found['persona']}",
        f"{'policy':<24}{'return':>8}{'monte carlo':>20}{'utility':>9}{'n':>7}",
    ]
    for name in ("oracle", "best_fixed", "random", "neutral"):
        row = found[name]
        title = f"best fixed: {row['emotion']}" if name == "best_fixed" else name
        checked = f"{row['monte_carlo']:.3f} ± {row['standard_error']:.3f}"
        lines.append(f"{title:<24}{row['return']:>8.3f}{checked:>20}{row['utility']:>9.1f}{row['n']:>7,}")
    lines.append(f"The best fixed emotion gains {found['best_fixed_share']:.0%} of what the oracle gains over random.")
    return "\n".join(lines)


def measure_hearing(seed: int) -> dict[str, Any]:
    """The confusion matrix of the classifier on the teacher's own utterances, over all domains.

    `confusion`: told emotion -> heard emotion -> count.
    """
    confusion: dict[str, Counter[str]] = {emotion: Counter() for emotion in GOEMOTIONS}
    voice = Voice(ScriptedModel(), temperature=0.0, max_tokens=1)
    for domain in DOMAINS:
        scenarios = {s.id: s for s in build_scenarios(Scenarios(domains=(domain,)), seed)}
        tasks = episode_tasks(scenarios.values(), HEARING_ROLLOUTS, seed, "hearing")
        for episode in play(tasks, voice, voice, random_emotion, Rules(), IN_FLIGHT, Usage()):
            quotes = quotes_of(scenarios[episode.scenario_id])
            for turn in episode.focal_turns():
                confusion[str(turn.emotion)][heard_emotion(turn.utterance, quotes)] += 1
    utterances = sum(heard.total() for heard in confusion.values())
    right = sum(heard[told] for told, heard in confusion.items())
    return {
        "domains": list(DOMAINS),
        "utterances": utterances,
        "accuracy": right / utterances,
        "confusion": {told: dict(heard) for told, heard in confusion.items()},
    }


def render_hearing(found: dict[str, Any]) -> str:
    """The same in words: the accuracy, and every confusion there is."""
    wrong = [
        f"{told} heard as {other}: {count}"
        for told, heard in found["confusion"].items()
        for other, count in heard.items()
        if other != told
    ]
    head = (
        f"simulated: {found['utterances']:,} teacher utterances in {', '.join(found['domains'])}; "
        f"emotion heard as told: {found['accuracy']:.2%}"
    )
    return "\n".join([head, *wrong])
