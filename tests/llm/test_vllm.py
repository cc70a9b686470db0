"""What only the in-process vLLM engine does; the contract of all backends is in test_contract.py."""

import pytest

from emodistill.config import VLLM, LoRA
from emodistill.errors import BadInput
from emodistill.llm.vllm import VLLMModel, _served_rank
from emodistill.models import resolve

from asking import answers, request

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


def test_a_prompt_that_is_too_long_is_refused_with_its_length(engine):
    long = request("long", chat=(("user", "a" * 1200),))
    assert "exceed max_model_len 1024" in answers(engine, [long])["long"].error


def test_a_model_in_a_folder_does_not_forbid_the_hub_to_the_next(tiny_model, monkeypatch, tmp_path):
    def fails(_):
        raise ValueError("no room")

    monkeypatch.setattr("vllm.LLMEngine.from_engine_args", fails)
    monkeypatch.setenv("HF_HUB_OFFLINE", "")  # and put back after the test what is made of it
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BadInput, match="no room"):
        VLLMModel(VLLM(backend="vllm", model="tiny-random"))
    assert resolve("owner/next") == "owner/next"


def test_every_rank_that_a_configuration_may_name_is_served():
    ranks = next(limit.le for limit in LoRA.model_fields["rank"].metadata if hasattr(limit, "le"))
    assert [_served_rank(rank) for rank in (8, 65, 128, ranks)] == [8, 128, 128, 512]


@pytest.fixture(scope="session")  # an engine that is closed takes vLLM's state of the whole process with it
def beside(engine):
    """An engine that holds adapters beside the weights, as on a GPU."""
    model = VLLMModel(VLLM(backend="vllm", model="tiny-random", max_model_len=1024), merge=False, rank=12)
    assert model._engine.vllm_config.lora_config.max_lora_rank == 16  # the next that vLLM takes
    yield model
    model.close()


@pytest.fixture(params=["engine", "beside"])
def speaking(request):
    return request.getfixturevalue(request.param)


def test_an_adapter_speaks_for_its_own_requests_only(speaking, tmp_path):
    """Adapter requests differ from the base model's, equal a second pass, and leave the base model as it was."""
    import torch

    from emodistill.config import SFT
    from emodistill.train.policy_model import new_adapter

    spec = VLLM(backend="vllm", model="tiny-random")
    changed = new_adapter(spec, SFT(), seed=3)
    for name, parameter in changed.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    changed.peft.save_pretrained(tmp_path / "changed" / "adapter")
    new_adapter(spec, SFT(), seed=3).peft.save_pretrained(tmp_path / "unchanged" / "adapter")
    batch = [request(f"base{i}", seed=i) for i in range(4)]
    batch += [request(f"changed{i}", seed=i, adapter=tmp_path / "changed" / "adapter") for i in range(4)]
    batch += [request(f"unchanged{i}", seed=i, adapter=tmp_path / "unchanged" / "adapter") for i in range(4)]
    found = answers(speaking, batch)
    assert [found[f"base{i}"].text for i in range(4)] == [found[f"unchanged{i}"].text for i in range(4)]
    assert [found[f"base{i}"].text for i in range(4)] != [found[f"changed{i}"].text for i in range(4)]
    again = answers(speaking, batch)
    assert {key: reply.text for key, reply in again.items()} == {key: reply.text for key, reply in found.items()}
