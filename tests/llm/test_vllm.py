"""What only the in-process vLLM engine does; the contract of all backends is in test_contract.py."""

import pytest

from emodistill.config import VLLM
from emodistill.llm.vllm import VLLMModel

from asking import answers, request

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


def test_a_prompt_that_is_too_long_is_refused_with_its_length(engine):
    long = request("long", chat=(("user", "a" * 1200),))
    assert "exceed max_model_len 1024" in answers(engine, [long])["long"].error


@pytest.fixture(params=["merged", "beside"])
def speaking(request, engine):
    """An engine that merges adapters, as on a CPU, and one that holds them beside the weights, as on a GPU."""
    if request.param == "merged":
        yield engine
        return
    model = VLLMModel(VLLM(backend="vllm", model="tiny-random", max_model_len=1024), merge=False)
    yield model
    model.close()


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
