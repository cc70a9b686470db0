"""The lean decoder is transformers and PEFT, only faster."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from emodistill.config import JPO, SFT, VLLM, LoRA
from emodistill.train.attention import attend, attend_backward
from emodistill.train.head import log_probs
from emodistill.train.lean import lean_decoder
from emodistill.train.policy_model import new_adapter, stored_adapter
from emodistill.train.sequences import Response, Sequence, micro_batches
from emodistill.train.tree import tree_of

SPEC = VLLM(backend="vllm", model="tiny-random", dtype="float32")
some = torch.Generator()
words = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=6)


def model_with(dropout=0.0, **options):
    model = new_adapter(SPEC, SFT(lora=LoRA(dropout=dropout), **options), seed=0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1, generator=some.manual_seed(1))
    return model


def family():
    """Four dialogues: two of one scenario, one of another, one with nothing in common; longer than a block."""
    some.manual_seed(2)
    draw = lambda n: torch.randint(3, 250, (n,), generator=some).tolist()  # noqa: E731
    brief, facts = draw(120), draw(60)
    rows = [brief + facts + draw(150), brief + facts + draw(40), brief + draw(90), draw(70)]
    return [
        Sequence(
            str(i), tuple(ids), (Response(len(ids) - 30, len(ids) - 15, 1.0), Response(len(ids) - 9, len(ids), 1.0))
        )
        for i, ids in enumerate(rows)
    ]


def outcome(model, sequences):
    """log π and the gradient of a weighted sum of it."""
    model.zero_grad()
    (batch,) = micro_batches(sequences, 10**6, 0)
    logp = model(batch.ids, batch.row, batch.column)
    (logp * torch.randn(len(logp), generator=some.manual_seed(3))).sum().backward()
    return logp.detach(), {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def close(ours, theirs):
    torch.testing.assert_close(ours[0], theirs[0], rtol=1e-5, atol=1e-5)
    for name, grad in theirs[1].items():
        torch.testing.assert_close(ours[1][name], grad, rtol=1e-4, atol=1e-4 * grad.abs().max().item())


@settings(deadline=None)
@given(words)
def test_a_tree_holds_every_sequence_and_every_shared_beginning_once(sequences):
    tree = tree_of(sequences)
    for sequence, branch in zip(sequences, tree.branches, strict=True):
        assert tree.ids[branch.path].tolist() == sequence
        assert tree.position[branch.path].tolist() == list(range(len(sequence)))
    beginnings = {tuple(sequence[: n + 1]) for sequence in sequences for n in range(len(sequence))}
    assert len(tree.ids) == len(beginnings)


@settings(deadline=None, max_examples=30)
@given(words, st.integers(1, 3))
def test_attention_over_a_tree_is_causal_attention_of_each_sequence_alone(sequences, repeat):
    sequences = [[word for word in s for _ in range(60 * repeat)] for s in sequences[:3]]
    tree = tree_of(sequences)
    q, k, v = (torch.randn(len(tree.ids), h, 8, generator=some.manual_seed(h), requires_grad=True) for h in (4, 2, 2))
    out = attend(q.detach(), k.detach(), v.detach(), tree, 8**-0.5)
    grad = torch.zeros_like(out)
    total = 0.0
    for branch in tree.branches:
        one = [t[branch.path].transpose(0, 1) for t in (q, k, v)]
        alone = F.scaled_dot_product_attention(*one, is_causal=True, enable_gqa=True).transpose(0, 1)
        torch.testing.assert_close(out[branch.path], alone, rtol=1e-4, atol=1e-5)
        weight = torch.randn(alone.shape, generator=some.manual_seed(9))
        grad.index_add_(0, branch.path, weight)
        total = total + (alone * weight).sum()
    total.backward()
    found = attend_backward(grad, out, q.detach(), k.detach(), v.detach(), tree, 8**-0.5)
    for ours, t in zip(found, (q, k, v), strict=True):
        torch.testing.assert_close(ours, t.grad, rtol=1e-3, atol=1e-4)


def test_log_probs_and_their_slope_are_autograds():
    hidden, weight = torch.randn(300, 16, requires_grad=True), torch.randn(50, 16)
    target, scale = torch.randint(50, (300,)), torch.randn(300)
    plain = torch.log_softmax(hidden @ weight.t(), -1).gather(1, target[:, None])[:, 0]
    (expected,) = torch.autograd.grad((plain * scale).sum(), hidden)
    ours = log_probs(hidden, weight, target)
    (found,) = torch.autograd.grad((ours * scale).sum(), hidden)
    torch.testing.assert_close(ours, plain)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_sharing_beginnings_changes_neither_loss_nor_gradient(tiny_model, checkpointing):
    model = model_with(gradient_checkpointing=checkpointing)
    assert model._lean is not None
    ours = outcome(model, family())
    model.__dict__["_lean"] = None  # transformers and PEFT, padded
    close(ours, outcome(model, family()))


def test_the_query_bias_of_qwen_is_there(tiny_model):
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from emodistill.train.policy_model import ResponseLogProbs

    torch.manual_seed(0)
    config = Qwen2Config(vocab_size=300, hidden_size=64, intermediate_size=96, num_hidden_layers=3,
                         num_attention_heads=4, num_key_value_heads=2, attn_implementation="eager")  # fmt: skip
    base = Qwen2ForCausalLM(config)
    for name, parameter in base.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    targets = ["q_proj", "k_proj", "v_proj", "o_proj"]
    model = ResponseLogProbs(get_peft_model(base, LoraConfig(r=4, target_modules=targets, init_lora_weights=False)))
    assert model._lean is not None
    ours = outcome(model, family())
    model.__dict__["_lean"] = None
    close(ours, outcome(model, family()))


def test_dropout_is_pefts_in_expectation(tiny_model):
    """The mean of log π over many masks, ours against PEFT's."""
    model = model_with(dropout=0.3)
    (batch,) = micro_batches(family()[3:], 10**6, 0)

    @torch.no_grad()
    def mean():
        torch.manual_seed(5)
        return torch.stack([model(batch.ids, batch.row, batch.column) for _ in range(150)]).double()

    ours = mean()
    model.__dict__["_lean"] = None
    theirs = mean()
    spread = (ours.var(0) + theirs.var(0)).div(150).sqrt()
    assert ((ours.mean(0) - theirs.mean(0)).abs() < 5 * spread + 1e-6).all()
    assert ours.std(0).mean().item() == pytest.approx(theirs.std(0).mean().item(), rel=0.15)
    assert torch.equal(mean(), theirs)


def test_jpo_has_no_dropout_with_checkpointing_either(tiny_model, tmp_path):
    trained = model_with(dropout=0.3)
    trained.peft.save_pretrained(str(tmp_path))
    (batch,) = micro_batches(family()[3:], 10**6, 0)
    said = []
    for checkpointing in (False, True):
        model = stored_adapter(SPEC, JPO(gradient_checkpointing=checkpointing), tmp_path)
        assert model._lean is not None
        said.append(model(batch.ids, batch.row, batch.column))
    assert torch.equal(*said)


def test_models_of_another_make_take_the_general_way(tiny_model):
    model = model_with()
    for change in ({"model_type": "gemma"}, {"hidden_act": "gelu"}):
        other = copy.deepcopy(model)
        for key, value in change.items():
            setattr(other.peft.get_base_model().config, key, value)
        assert lean_decoder(other.peft, False) is None
    assert lean_decoder(model.peft, False) is not None
    assert new_adapter(SPEC, SFT(lora=LoRA(targets=("q_proj", "up_proj"))), seed=0)._lean is None
