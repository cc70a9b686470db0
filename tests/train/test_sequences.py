import json
import shutil

import pytest
import torch

from emodistill.chat import token_ids
from emodistill.config import SFT, VLLM, LoRA
from emodistill.errors import BadInput
from emodistill.records import Dialogue
from emodistill.train.sequences import micro_batches, plan_steps, share, tokenise

CHAT = (
    ("system", "You bargain."),
    ("user", "Open.\n[Show anger.]"),
    ("assistant", "Pay in 20 days."),
    ("user", "We need 90 days."),
    ("assistant", "I can do 30 days."),
    ("user", "80."),
    ("assistant", "I accept."),
)


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    from emodistill.train.policy_model import load_tokenizer

    return load_tokenizer(VLLM(backend="vllm", model="tiny-random"))


def dialogue(name="a", messages=CHAT):
    return Dialogue(name, "s", messages, ())


def test_every_response_is_conditioned_on_exactly_its_rollout_prompt(tokenizer):
    sequence, dropped = tokenise(dialogue(), {2: 1.0, 4: 1.0, 6: 1.0}, tokenizer, 4096)
    assert dropped == 0
    for message, response in zip((2, 4, 6), sequence.responses, strict=True):
        assert list(sequence.ids[: response.start]) == token_ids(tokenizer, CHAT[:message], generate=True)
        said = tokenizer.decode(sequence.ids[response.start : response.end])
        assert said == CHAT[message][1] + "<|im_end|>"


def test_what_does_not_fit_is_dropped_and_counted(tokenizer):
    whole, _ = tokenise(dialogue(), {2: 1.0, 4: 1.0}, tokenizer, 4096)
    limit = whole.responses[0].end
    cut, dropped = tokenise(dialogue(), {2: 1.0, 4: 1.0}, tokenizer, limit)
    assert (len(cut.responses), dropped, len(cut.ids)) == (1, 1, limit)
    assert tokenise(dialogue(), {2: 1.0}, tokenizer, 5) == (None, 1)


def test_a_template_that_rewrites_earlier_turns_is_refused(tokenizer):
    import copy

    other = copy.deepcopy(tokenizer)
    other.chat_template = "{{ messages | length }}" + other.chat_template
    with pytest.raises(BadInput, match="not prefix-stable"):
        tokenise(dialogue(), {2: 1.0, 4: 1.0}, other, 4096)


def test_a_template_that_marks_only_the_last_of_all_answers_is_trained_as_it_is_rolled_out(tokenizer):
    import copy

    plain = "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    marked = plain.replace("message.content", "'<think>\\n\\n</think>\\n\\n' + message.content")
    thinks = copy.deepcopy(tokenizer)  # as Qwen3's does
    thinks.chat_template = (
        "{% for message in messages %}{% if loop.last and message.role != 'user' %}" + marked + "{% else %}" + plain
        + "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )  # fmt: skip
    sequence, _ = tokenise(dialogue(), {2: 1.0, 6: 1.0}, thinks, 4096)
    for message, response in zip((2, 6), sequence.responses, strict=True):
        assert list(sequence.ids[: response.start]) == token_ids(thinks, CHAT[:message], generate=True)
        assert thinks.decode(sequence.ids[response.start : response.end]) == CHAT[message][1] + "<|im_end|>"


def test_a_template_that_ends_turns_with_another_token_is_refused_by_both_names(tokenizer):
    import copy

    other = copy.deepcopy(tokenizer)
    other.eos_token = "<|endoftext|>"
    with pytest.raises(BadInput, match=r"ends a turn with '<\|im_end\|>'.*eos_token is '<\|endoftext\|>'"):
        tokenise(dialogue(), {2: 1.0}, other, 4096)


def test_steps_hold_every_sequence_once_an_epoch_and_reach_the_batch_size(tokenizer):
    sequences = [tokenise(dialogue(str(k)), {2: 1.0, 4: 1.0}, tokenizer, 4096)[0] for k in range(7)]
    steps = plan_steps(sequences, batch_turns=4, epochs=2, seed=3)
    keys = [sequence.key for step in steps for sequence in step]
    assert sorted(keys) == sorted([str(k) for k in range(7)] * 2)
    assert [sum(len(s.responses) for s in step) for step in steps] == [4, 4, 4, 2] * 2
    assert steps == plan_steps(sequences, 4, 2, 3) != plan_steps(sequences, 4, 2, 4)


def test_micro_batches_keep_the_budget_and_lose_nothing(tokenizer):
    chats = [dialogue(str(k), CHAT[: 3 + 2 * (k % 3)]) for k in range(9)]
    step = [tokenise(d, {len(d.messages) - 1: 1.0}, tokenizer, 4096)[0] for d in chats]
    budget = 2 * max(len(s.ids) for s in step)
    batches = micro_batches(step, budget, pad=0)
    assert sorted(key for batch in batches for key in batch.keys) == sorted(s.key for s in step)
    assert all(batch.ids.numel() <= budget for batch in batches)
    shares = [share(batches, rank, 2) for rank in range(2)]
    assert len(shares[0]) == len(shares[1])
    assert sum(batch.scale for part in shares for batch in part) == len(batches)


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
def test_a_step_that_fits_the_budget_is_dealt_to_all_ranks(tokenizer, ranks):
    step = [tokenise(dialogue(str(k)), {2: 1.0}, tokenizer, 4096)[0] for k in range(6)]
    batches = micro_batches(step, 10**6, 0, ranks)
    loads = [sum(len(b.keys) for b in share(batches, rank, ranks) if b.scale) for rank in range(ranks)]
    assert sum(loads) == 6 and max(loads) == -(-6 // ranks)


def test_a_tokenizer_without_a_padding_token_pads_with_its_end_of_turn(tiny_model, tmp_path):
    from emodistill.train.policy_model import load_tokenizer

    folder = shutil.copytree(tiny_model, tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = load_tokenizer(VLLM(backend="vllm", model=str(folder)))
    step = [tokenise(dialogue(str(n), CHAT[:n]), {n - 1: 1.0}, tokenizer, 4096)[0] for n in (3, 5)]
    (batch,) = micro_batches(step, 10_000, tokenizer.pad_token_id)
    assert batch.ids[1, -1] == tokenizer.eos_token_id and batch.ids.numel() > batch.tokens


def test_one_pass_a_dialogue_has_the_loss_and_gradient_of_one_sample_a_turn(tokenizer, tiny_model):
    from emodistill.train.policy_model import new_adapter

    spec = VLLM(backend="vllm", model="tiny-random", dtype="float32")
    model = new_adapter(spec, SFT(lora=LoRA(dropout=0.0)), seed=0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(1))
    weights = {2: 1.0, 4: 1.0, 6: 1.0}

    def gradient(sequences):
        model.zero_grad()
        batches = [b for s in sequences for b in micro_batches([s], 10_000, 0)]
        tokens = sum(len(b.row) for b in batches)
        loss = -sum(model(b.ids, b.row, b.column).sum() for b in batches) / tokens
        loss.backward()
        return loss.item(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    together = [tokenise(dialogue(), weights, tokenizer, 4096)[0]]
    apart = [tokenise(dialogue(), {m: 1.0}, tokenizer, 4096)[0] for m in weights]
    (loss_a, grad_a), (loss_b, grad_b) = gradient(together), gradient(apart)
    assert loss_a == pytest.approx(loss_b, rel=1e-5)
    torch.testing.assert_close(grad_a, grad_b, rtol=1e-4, atol=1e-6)


def test_a_model_that_names_its_parts_otherwise_gives_the_same_log_probabilities():
    from peft import LoraConfig, get_peft_model
    from transformers import GPT2Config, GPT2LMHeadModel

    from emodistill.train.policy_model import ResponseLogProbs

    torch.manual_seed(0)
    base = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2)).eval()
    ids, row, column = torch.randint(50, (2, 9)), torch.tensor([0, 0, 1]), torch.tensor([3, 8, 5])
    expected = base(ids).logits.log_softmax(-1)[row, column - 1, ids[row, column]]
    model = ResponseLogProbs(get_peft_model(base, LoraConfig(target_modules=["c_attn"], fan_in_fan_out=True)).eval())
    torch.testing.assert_close(model(ids, row, column), expected)
