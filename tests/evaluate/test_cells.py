import pytest

from emodistill.cluster.begin import begin, differences
from emodistill.configfile import load_config
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.evaluate.cells import cells
from emodistill.ledger import Ledger
from emodistill.runs import RunDir
from emodistill.stages import STAGES, Fingerprints

from helpers import ROOT
from scripted_run import scripted_run

TWO = "scenarios.domains=[crad, hospital]"
OTHER = "evaluate.counterparties={calm: {backend: openai, model: m, base_url: 'http://localhost:1'}}"


def config(*overrides):
    return load_config(ROOT / "yaml" / "smoke.yaml", overrides)


def tasks(stage, *overrides):
    made = config(*overrides)
    return STAGES[stage].tasks(made)


def reads(task, *overrides):
    return STAGES["evaluate"].reads(config(*overrides), task)


def test_only_what_is_asked_for_is_played_and_trained():
    assert tasks("evaluate") == config().evaluate.variants
    assert [tasks(stage) for stage in ("iql", "sft", "jpo")] == [
        ("selector",), ("emotion", "emotion-free"), ("emotion", "emotion-free")
    ]  # fmt: skip
    assert tasks("sft", "evaluate.variants=[full]") == ("emotion",)
    assert tasks("jpo", "evaluate.variants=[full, alol]") == ("emotion", "alol")
    assert tasks("iql", TWO, "iql.per_domain=true") == ("crad", "hospital")


def test_the_ablation_changes_one_signal_at_a_time_and_shares_what_is_alike():
    asked = "evaluate.ablation=true"  # configured: iql outcome, sft hybrid, jpo judge
    new = set(tasks("evaluate", asked)) - set(tasks("evaluate"))
    others = {"iql": ("judge", "hybrid"), "sft": ("judge", "outcome"), "jpo": ("outcome", "hybrid")}
    assert new == {f"full.{stage}-{signal}" for stage, signals in others.items() for signal in signals}
    assert set(tasks("iql", asked)) == {"selector", "selector.judge", "selector.hybrid"}
    assert set(tasks("sft", asked)) == {"emotion", "emotion-free", "emotion.sft-judge", "emotion.sft-outcome"}
    assert reads("full.iql-judge", asked) == {"iql": ("selector.judge",), "jpo": ("emotion",)}
    assert reads("full.sft-judge", asked) == {"iql": ("selector",), "jpo": ("emotion.sft-judge",)}
    assert STAGES["jpo"].reads(config(asked), "emotion.jpo-hybrid")["sft"] == ("emotion",)
    assert "full.iql-outcome" in tasks("evaluate", asked, "iql.signal=judge")


def test_cells_of_other_adapters_may_share_a_fingerprint_and_never_what_they_were_begun_with(tmp_path):
    run = scripted_run(tmp_path / "run", "evaluate.variants=[full]", "evaluate.ablation=true", "evaluate.seeds=1")
    ledger = Ledger(run, run.config())
    claims = [ledger.claim(STAGES["evaluate"], cell) for cell in STAGES["evaluate"].tasks(run.config())]
    assert len({claim.fingerprint for claim in claims}) == 1 and len({claim.inputs for claim in claims}) == 7


def test_transfer_trains_everything_on_one_domain_and_plays_it_in_all():
    asked = (TWO, "evaluate.transfer=true")
    assert reads("full@hospital", *asked) == {"iql": ("hospital",), "jpo": ("emotion@hospital",)}
    assert set(tasks("sft", *asked)) == {"emotion", "emotion-free", "emotion@crad", "emotion@hospital"}
    assert cells(config(*asked))["full@crad"].variant.selectors(config(*asked)) == {"crad": "crad", "hospital": "crad"}


def test_unseen_counterparties_are_part_of_their_own_cells_only():
    asked = ("evaluate.personas=[threat]", OTHER, "evaluate.unseen=[full]")
    assert set(tasks("evaluate", *asked)) - set(tasks("evaluate")) == {"full.vs-threat", "full.vs-calm"}
    assert {"alol", "alol.vs-threat"} <= set(tasks("evaluate", asked[0], "evaluate.unseen=[alol]"))
    stage, before = STAGES["evaluate"], config(*asked)
    after = config(*asked[:2], "evaluate.unseen=[full, sft]", "evaluate.counterparties.calm.model=n")
    changed = {t for t in stage.tasks(before) if Fingerprints(before)(stage, t) != Fingerprints(after)(stage, t)}
    assert changed == {"full.vs-calm"}
    prints = {Fingerprints(before)(stage, name) for name in ("full", "full.vs-threat", "full.vs-calm")}
    assert len(prints) == 3


def test_what_only_some_cells_need_leaves_the_others_as_they_are(tmp_path):
    asked, stage = (OTHER, "evaluate.unseen=[full]"), STAGES["evaluate"]

    def changed(*more):
        before, after = config(*asked), config(*asked, *more)
        prints = Fingerprints(before), Fingerprints(after)
        both = {*stage.tasks(before)} & {*stage.tasks(after)}
        return {task for task in both if prints[0](stage, task) != prints[1](stage, task)}

    assert not changed("evaluate.counterparties.calm.max_usd=9", "evaluate.counterparties.calm.timeout_s=9")
    assert not changed("evaluate.variants=[vanilla-slm, full, vanilla-llm]")
    run = RunDir(tmp_path)
    begin(run, config(*asked), fresh=False)
    other = config(*asked, "evaluate.counterparties.calm.model=n")
    assert "evaluate full.vs-calm, counterparty.model: 'm' → 'n'" in differences(run, other)


def test_a_tournament_is_every_ordered_pair_and_the_emotions_are_all_of_them():
    asked = ("evaluate.tournament=[vanilla-slm, sft, full]",)
    pairs = set(tasks("evaluate", *asked)) - set(tasks("evaluate"))
    assert len(pairs) == 6 and "full.against.sft" in pairs and "sft.against.full" in pairs
    assert reads("sft.against.full", *asked) == {"sft": ("emotion",), "iql": ("selector",), "jpo": ("emotion",)}
    assert {f"fixed:{emotion}" for emotion in GOEMOTIONS} <= set(tasks("evaluate", "evaluate.emotions=true"))


@pytest.mark.parametrize(
    "override, said",
    [
        ("evaluate.transfer=true", "at least two scenarios.domains"),
        ("evaluate.tournament=[full]", "at least two variants"),
        ("evaluate.tournament=[full, fool]", "no variant 'fool'; did you mean 'full'"),
        ("evaluate.unseen=[]", "name at least one"),
        ("evaluate.counterparties={threat: {backend: scripted}}", "is the name of a persona"),
    ],
)
def test_cells_that_cannot_be_are_refused(override, said):
    with pytest.raises(BadInput, match=said):
        config(override, "evaluate.personas=[threat]") if "threat" in override else config(override)
