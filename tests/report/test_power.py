"""Power of the paired comparison: textbook values, variance components by hand, and the promise kept by simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest

from emodistill.cli import main
from emodistill.report.power import Components, components, needed, power
from emodistill.report.student_t import critical, tail
from emodistill.runs import Marker, RunDir
from emodistill.shards import EPISODES, write_records

from builders import episode
from helpers import ROOT, begun

SMOKE = str(ROOT / "yaml" / "smoke.yaml")


@pytest.mark.parametrize(
    ("level", "freedom", "value"),
    [(0.05, 1, 12.7062), (0.05, 2, 4.30265), (0.05, 19, 2.09302), (0.01, 9, 3.24984), (0.05, 10**5, 1.95999)],
)
def test_critical_values_are_those_of_the_tables(level, freedom, value):
    assert critical(level, freedom) == pytest.approx(value, rel=1e-4)
    assert tail(value, freedom) == pytest.approx(level, rel=1e-4)


def test_power_is_that_of_the_paired_t_test():
    """G*Power 3.1, t-test of matched pairs, dz = 0.5, two-sided 5 %: 34 pairs give a power of 0.8078."""
    one_seed = Components(between=3.0, within=1.0, mean=0.0, scenarios=2, pairs=4)  # together a variance of 4
    assert power(1.0, one_seed, 34, seeds=1) == pytest.approx(0.8078, abs=2e-4)
    assert needed(1.0, one_seed, seeds=1) == 34
    assert power(-1.0, one_seed, 34, seeds=1) == power(1.0, one_seed, 34, seeds=1)
    assert power(1e-9, one_seed, 34, seeds=1) == pytest.approx(0.05, abs=1e-5)


def test_seeds_take_away_the_spread_within_scenarios_alone():
    only_between, only_within = Components(4.0, 0.0, 0, 2, 4), Components(0.0, 4.0, 0, 2, 4)
    assert needed(1.0, only_between, 1) == needed(1.0, only_between, 20) == 34
    assert needed(1.0, only_within, 1) == 34 and needed(1.0, only_within, 20) == 4
    assert needed(1e-4, only_between, 1) is None
    assert power(1.0, Components(0.0, 0.0, 1.0, 2, 4), 2, 1) == 1.0 and power(5.0, only_between, 1, 5) == 0.0


def test_variance_components_by_hand():
    """Means 2, 6, 10 of two pairs each, each pair 1 off its mean: within 6/3, between (2 · 32/2 − 2)/2."""
    pairs, of = np.array([1, 3, 5, 7, 9, 11.0]), np.array(list("aabbcc"))
    found = components(pairs, of)
    assert (found.within, found.between) == (pytest.approx(2), pytest.approx(15))
    assert (found.mean, found.scenarios, found.pairs) == (6, 3, 6)
    assert found.standard_error(10, 4) == pytest.approx(math.sqrt((15 + 2 / 4) / 10))
    uneven = components(np.array([0, 2, 4, 8.0]), np.array(list("aaab")))  # within 8/2, spread 27, size (4 − 10/4)/1
    assert (uneven.within, uneven.between) == (pytest.approx(4), pytest.approx((27 - 4) / 1.5))
    assert components(pairs, np.array(list("abcdef"))) is None and components(pairs, np.array(["a"] * 6)) is None


@pytest.mark.parametrize(("between", "within", "seeds"), [(60.0, 900.0, 5), (200.0, 300.0, 1), (0.0, 400.0, 20)])
def test_the_promised_power_is_what_simulated_studies_have(between, within, seeds):
    of, difference, studies = Components(between, within, 0, 2, 4), 7.0, 4000
    scenarios = needed(difference, of, seeds)
    rng = np.random.default_rng(5)
    means = difference + rng.normal(0, math.sqrt(between), (studies, scenarios))
    means = means + rng.normal(0, math.sqrt(within), (studies, scenarios, seeds)).mean(2)
    t = means.mean(1) / (means.std(1, ddof=1) / math.sqrt(scenarios))
    seen = np.mean(np.abs(t) > critical(0.05, scenarios - 1))
    assert seen == pytest.approx(power(difference, of, scenarios, seeds), abs=0.03)
    assert 0.77 <= seen <= 0.9  # more than 80 % only because scenarios are whole


def finished(run: RunDir, variant: str, agreed: list[list[float]]) -> None:
    """An evaluation cell as its task leaves it: agreed values of the held-out scenarios' episodes."""
    held_out = [s for s in run.scenarios().values() if s.split == "held_out"]
    path = run.path("evaluate", variant, "shard-00000.h5")
    path.parent.mkdir(parents=True)
    made = []
    for scenario, positions in zip(held_out, agreed, strict=True):
        for k, position in enumerate(positions):
            one = episode("agreement", scenario.value(position), (), f"{scenario.id}-r{k:04d}", scenario.id)
            made.append(replace(one, rollout=k))
    write_records(path, made, EPISODES)
    run.mark(Marker("evaluate", variant, "f", "i", len(made), 0, 1.0, run.checksums([path])))


def test_the_plan_says_what_a_pilot_needs_and_what_the_configuration_can_see(tmp_path, capsys):
    run = begun(tmp_path / "run")
    finished(run, "full", [[0.51, 0.53], [0.55, 0.57], [0.59, 0.61]])
    finished(run, "vanilla-slm", [[0.5, 0.5]] * 3)
    assert main(["plan", SMOKE, "--power", "6", "--pilot", str(run.root)]) == 0
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("full − vanilla-slm")).split()
    of = Components(15.0, 2.0, 6.0, 3, 6)
    assert row[3:9] == ["+6.0", "(n", "=", "6)", "3.9", "1.4"]
    assert row[9:14] == [str(needed(6.0, of, seeds)) for seeds in (1, 3, 5, 10, 20)]
    assert row[14] == f"{power(6.0, of, 3, 2):.0%}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--power", "5"), "Run one first"),
        (("--power", "5", "--pilot", "nowhere"), "nowhere holds no run"),
        (("--power", "0"), "above 0"),
        (("--pilot", "x"), "give --power D"),
    ],
)
def test_without_a_pilot_or_a_difference_the_plan_says_what_to_do(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(["plan", SMOKE, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_pilot_that_tells_no_spread_is_refused(tmp_path, capsys):
    run = begun(tmp_path / "run")
    arguments = ["plan", SMOKE, "--power", "5", "--pilot", str(run.root)]
    assert main(arguments) == 2 and "no two finished cells" in capsys.readouterr().err
    finished(run, "full", [[0.5], [0.6], [0.7]])
    finished(run, "sft", [[0.5], [0.5], [0.5]])
    assert main(arguments) == 2 and "two seeds or more" in capsys.readouterr().err
