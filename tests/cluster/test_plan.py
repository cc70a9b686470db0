import re
import shutil

import pytest

from emodistill.cluster.advice import advice
from emodistill.cluster.estimate import GPUHours, gpu_hours, trained_tokens
from emodistill.cluster.plan import _deepspeed_text, _gpu_memory, check
from emodistill.cluster.profiles import Profile, Resources, load_profile
from emodistill.cluster.sbatch import _teardown
from emodistill.configfile import load_config
from emodistill.errors import BadInput
from emodistill.stages import STAGES
from emodistill.train.deepspeed_config import deepspeed_config

from helpers import ROOT, emodistill

NAMES = tuple(STAGES)


def test_the_paper_scale_plan_renders_whole_without_gpu_key_or_slurm(tmp_path, monkeypatch):
    monkeypatch.delenv("LLM_API_KEY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    config = ROOT / "yaml" / "paper" / "crad.yaml"
    done = emodistill("plan", config, "--profile", "a100-cluster", "--out", tmp_path / "run")
    for stage in NAMES:
        assert re.search(rf"^# sbatch, {stage}, array \d+\n#!/bin/bash", done.stdout, re.MULTILINE)
    assert "cut to MaxArraySize 1001 (assumed, Slurm's default: there is no Slurm to ask)" in done.stdout
    assert "80 train, 20 held out" in done.stdout
    assert "120,000" in done.stdout  # 80 scenarios × 100 rollouts × 15 replies
    sft = done.stdout.partition("# sbatch, sft")[2].partition("# sbatch, jpo")[0]
    assert "--gpus-per-node=4" in sft and "--ntasks-per-node=4" in sft and "--array=0-1%1" in sft
    assert "stage: 2" in done.stdout.partition("# DeepSpeed, sft")[2].partition("# DeepSpeed, jpo")[0]
    assert list(tmp_path.iterdir()) == []


def test_gpu_hours_of_generation_scoring_and_training_and_their_bound():
    config = load_config(
        ROOT / "yaml" / "smoke.yaml",
        ("models.teacher={backend: vllm, model: m}", "models.judge={backend: vllm, model: m}", "sft.epochs=2"),
    )
    asked = {
        "rollout": {"gres": "gpu:a100:2", "tokens_per_s": 10.0, "time_min": 30},
        "judge": {"gpus_per_node": 1, "tokens_per_s": 0.5},
        "sft": {"nodes": 2, "gres": "gpu:4,shard:1", "tokens_per_s": 100.0},
        "jpo": {"gres": "gpu"},
    }
    # 48 episodes of 3 turns and their verdicts; 12 dialogues of 400 + 6 × (120 + 20), by two recipes; JPO's reference
    assert gpu_hours(config, Profile(cluster="slurm", stages=asked)) == [
        GPUHours("rollout", 2, 2, 48 * 3 * 120, pytest.approx(2 * 48 * 3 * 120 / 10 / 3600), 2.0),
        GPUHours("judge", 1, 2, 48 * 3 * 4, pytest.approx(48 * 3 * 4 / 0.5 / 3600), 2.0),
        GPUHours("sft", 8, 2, 12 * 1240 * 2 * 2, pytest.approx(8 * 12 * 1240 * 4 / 100 / 3600), 16.0),
        GPUHours("jpo", 1, 2, 8 * 1240 * 2 * 2, None, 2.0),
    ]
    assert [Resources(gres=gres).gpus for gres in (None, "shard:2", "gpu:h100", "gpu:a:1,gpu:b:2")] == [0, 0, 1, 3]


def test_in_the_papers_layout_each_turn_is_trained_on_with_all_before_it():
    paper = ("negotiation.layout=paper", "sft.max_length=1000")
    whole = load_config(ROOT / "yaml" / "smoke.yaml", (*paper, "sft.max_dialogues=null"))
    # 48 episodes with turns behind 1, 3 and 5 messages of 140 tokens, the last cut; by two recipes
    assert trained_tokens(whole)["sft"] == 48 * (540 + 820 + 1000) * whole.sft.epochs * 2
    capped = load_config(ROOT / "yaml" / "smoke.yaml", paper)
    assert trained_tokens(capped)["sft"] == 12 * 1000 * capped.sft.epochs * 2


@pytest.mark.parametrize("name", ["local", "one-machine", "a100-cluster", "cpu-cluster"])
def test_shipped_profiles_load(name):
    assert load_profile(name).cluster == ("local" if name == "local" else "slurm")


@pytest.mark.parametrize(
    "ask", [lambda: load_profile("local"), lambda: deepspeed_config("zero2", 1.0, False), lambda: _teardown()]
)
def test_a_package_without_its_clone_says_how_to_install_it(tmp_path, monkeypatch, ask):
    ask()
    monkeypatch.setattr("emodistill.shipped._ROOT", tmp_path)
    with pytest.raises(BadInput, match=r"is missing beside the package.*pip install -e \."):
        ask()


@pytest.mark.parametrize(
    "text, words",
    [
        ("cluster: slurm\nstages: {rolout: {parallel: 2}}", "no such stage"),
        ("cluster: slurm\nstages: {rollout: {paralel: 2}}", "did you mean 'parallel'"),
        ("cluster: pbs", "'pbs'"),
        ("clutser: slurm", "did you mean 'cluster'"),
        ("cluster: slurm\ndefault: {sbatch: {dependency: 'afterok:1'}}", "sbatch.dependency is set by the launch"),
        ('cluster: slurm\ndefault: {setup: ["a\\nb"]}', "default.setup"),
        (
            "cluster: slurm\ndefault: {gpus_per_node: 1}\nstages: {sft: {gres: 'gpu:a100:4'}}",
            "sft: .* both ask for GPUs",
        ),
        ("cluster: slurm\nstages: {iql: {time_min: 2}}", r"stages\.iql: a job of 2 min .* 120 s \(grace_s\)"),
        ("cluster: slurm\ndefault: {env: {'A=1;B': x}}", "default.env"),
    ],
)
def test_a_typo_in_a_profile_is_named(tmp_path, text, words):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BadInput, match=words):
        load_profile(str(tmp_path / "p.yaml"))


def test_without_slurm_a_slurm_profile_is_refused(tmp_path):
    done = emodistill(
        "launch", "yaml/smoke.yaml", "--profile", "one-machine", "--out", tmp_path / "run", "--until", "rollout",
        check=False, env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "There is no Slurm here" in done.stderr


def test_what_an_example_left_open_is_told_by_the_plan_and_refused_by_a_run(monkeypatch):
    monkeypatch.setenv("LLM_API_KEY", "k")
    shipped, ours = load_config(ROOT / "yaml" / "api.yaml"), load_profile("local")
    endpoints = ["models.teacher.base_url", "models.counterparty.base_url", "models.judge.base_url"]
    assert [line.split()[0] for line in advice(shipped, ours, NAMES)] == endpoints
    with pytest.raises(BadInput, match=r"models\.teacher\.base_url is still the example's https://llm\.example\.org"):
        check(shipped, ours, ["rollout"])
    given = [f"{key}=https://llm.example-labs.org/v1" for key in endpoints]
    check(load_config(ROOT / "yaml" / "api.yaml", given), ours, ["rollout", "judge"])
    smoke = load_config(ROOT / "yaml" / "smoke.yaml")
    open_ended = Profile(cluster="slurm", stages={"rollout": {"partition": "CHANGE-ME"}})
    with pytest.raises(BadInput, match="partition is still CHANGE-ME"):
        check(smoke, open_ended, NAMES)
    check(smoke, open_ended, ["judge"])


def test_packages_are_looked_for_only_where_the_jobs_own_python_is_this_one(tiny_model, monkeypatch):
    def none_here(*packages):
        if packages:
            raise BadInput(f"{packages[0]} is not installed")

    monkeypatch.setattr("emodistill.cluster.plan.require", none_here)
    config, python = load_config(ROOT / "yaml" / "smoke.yaml"), "apptainer exec --nv image.sif python"
    check(config, Profile(cluster="slurm", default=Resources(python=python)), NAMES)
    for profile in (Profile(cluster="slurm"), Profile(cluster="local", default=Resources(python=python))):
        with pytest.raises(BadInput, match="is not installed"):
            check(config, profile, NAMES)


def test_a_student_that_cannot_be_trained_is_refused_before_a_sweep_that_costs_something(tiny_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    template = folder / "chat_template.jinja"
    template.write_text("{{ messages | length }}" + template.read_text())
    student = f"models.student={{backend: vllm, model: {folder}, max_model_len: 512}}"
    teacher = "models.teacher={backend: vllm, model: tiny-random, max_model_len: 512}"
    smoke = ROOT / "yaml" / "smoke.yaml"
    with pytest.raises(BadInput, match=f"template of {folder} is not prefix-stable"):
        check(load_config(smoke, (student, teacher)), load_profile("local"), NAMES)
    check(load_config(smoke, (student,)), load_profile("local"), NAMES)  # all simulated: training itself refuses soon
    check(load_config(smoke, (student, teacher)), load_profile("local"), ["rollout", "judge"])


def test_two_engines_that_one_gpu_cannot_hold_are_refused_before_the_run(tiny_model, monkeypatch):
    other = "models.counterparty={backend: vllm, model: tiny-random, max_model_len: 512, gpu_memory_utilization: 0.4}"
    one_gpu = Profile(cluster="slurm", stages={"evaluate": {"gpus_per_node": 1}})

    def made(*overrides):
        return load_config(ROOT / "yaml" / "smoke.yaml", (other, *overrides))

    check(made(), Profile(cluster="slurm"), NAMES)
    check(made("models.student.gpu_memory_utilization=0.6"), one_gpu, NAMES)
    same = made(
        "models.counterparty={backend: vllm, model: tiny-random}", "models.student={backend: vllm, model: tiny-random}"
    )
    check(same, one_gpu, NAMES)  # one engine for both
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    for profile in (one_gpu, load_profile("local")):
        with pytest.raises(BadInput, match=r"models\.student and models\.counterparty .* 1\.3 of its memory"):
            check(made(), profile, NAMES)


def test_local_jobs_at_once_that_one_gpu_cannot_hold_are_refused_before_the_run(tiny_model, monkeypatch):
    def made(share):
        spec = f"{{backend: vllm, model: tiny-random, max_model_len: 512, gpu_memory_utilization: {share}}}"
        return load_config(ROOT / "yaml" / "smoke.yaml", (f"models.judge={spec}",))

    local = load_profile("local")
    check(made(0.9), local, ["judge"])  # on CPUs they are slower, and that is all
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    with pytest.raises(BadInput, match=r"judge runs 2 jobs at once.*models\.judge.* take 1\.8 .*parallel: 1.* to 0\.5"):
        check(made(0.9), local, ["judge"])
    check(made(0.5), local, ["judge"])
    check(made(0.9), Profile(cluster="local", stages={"judge": {"bundle": 2, "parallel": 2}}), ["judge"])
    check(made(0.9), Profile(cluster="slurm", stages={"judge": {"gpus_per_node": 1, "parallel": 2}}), ["judge"])


def test_a_plan_warns_of_engines_without_a_gpu_or_too_many_on_one_and_of_short_contexts():
    own, names = load_config(ROOT / "yaml" / "own-gpus.yaml"), tuple(STAGES)
    gpus = Profile(cluster="slurm", stages={name: {"gpus_per_node": 1} for name in ("rollout", "judge", "evaluate")})
    assert advice(own, gpus, names) == []
    told = advice(own, load_profile("a100-cluster"), names)
    assert [line[:48] for line in told] == [
        "account is still CHANGE-ME in the profile: put i",
        "rollout runs models.teacher and models.counterpa", "judge runs models.judge in its own jobs, and the"
    ]  # fmt: skip
    assert advice(own, Profile(cluster="slurm"), names) == []  # a cluster of CPUs
    short = own.models.student.model_copy(update={"max_model_len": 2048, "gpu_memory_utilization": 0.9})
    careless = own.model_copy(update={"models": own.models.model_copy(update={"student": short})})
    crowded, length = advice(careless, gpus, names)
    assert "come to 1.35 of its memory" in crowded
    assert "models.student.max_model_len is 2,048, and a dialogue of evaluate can grow to 4,600 tokens" in length
    assert advice(load_config(ROOT / "yaml" / "demo.yaml"), load_profile("local"), names) == []


@pytest.mark.parametrize("domain", ["crad", "disaster", "hospital", "student"])
@pytest.mark.parametrize("zero", [2, 3])
def test_every_domain_has_a_paper_plan_for_zero_2_and_3_that_fits_the_gpu(domain, zero):
    name = domain if zero == 2 else f"{domain}-zero3"
    config = load_config(ROOT / "yaml" / "paper" / f"{name}.yaml")
    assert config.name == f"paper-{name}" and config.scenarios.domains == (domain,)
    assert config.sft.batch_turns == config.jpo.batch_turns == 16  # METHOD.md §6, §7, and what crad.yaml says
    profile = load_profile("a100-cluster")
    text = "\n".join(_gpu_memory(config, profile))
    assert text.count(" of 80: fits.") == 2
    assert f"stage: {zero}" in _deepspeed_text(config, "jpo")


def test_a_7b_run_that_does_not_fit_is_told_what_to_change():
    profile = load_profile("a100-cluster")
    config = load_config(ROOT / "yaml" / "paper" / "crad.yaml", ("sft.gradient_checkpointing=false",))
    first, second = _gpu_memory(config, profile)
    assert "DOES NOT FIT; set gradient_checkpointing: true" in first and "fits" in second
    small = profile.model_copy(
        update={"stages": {"sft": {"gpus_per_node": 4, "tasks_per_node": 4, "gpu_memory_gb": 20.0}}}
    )
    assert "zero3" in _gpu_memory(load_config(ROOT / "yaml" / "paper" / "crad.yaml"), small)[0]
    less = small.model_copy(update={"stages": {"sft": {**small.stages["sft"], "gpu_memory_gb": 16.0}}})
    for name in ("crad", "crad-zero3"):
        told = _gpu_memory(load_config(ROOT / "yaml" / "paper" / f"{name}.yaml"), less)[0]
        assert "DOES NOT FIT; every GPU holds the student whole at the start, 16.2 GB" in told
