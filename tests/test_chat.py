"""Tokens of a chat: remembered pieces give what the tokenizer makes of the whole."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken

from emodistill.chat import token_ids
from emodistill.errors import BadInput

BITS = st.lists(st.sampled_from(["a", "b", " ", "\n", "<|im_end|>", "<|im_", "|>", "é", "▁", "1"])).map("".join)
WORDS = st.lists(BITS, min_size=1)


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(tiny_model)


def whole(tokenizer, messages, generate):
    chat = [{"role": role, "content": content} for role, content in messages]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=generate)
    return tokenizer(text, add_special_tokens=False)["input_ids"]


@settings(deadline=None)
@given(words=WORDS, generate=st.booleans())
def test_pieces_make_the_whole(tokenizer, words, generate):
    messages = tuple((("system", "user", "assistant")[min(i, 1 + i % 2)], word) for i, word in enumerate(words))
    assert token_ids(tokenizer, messages, generate) == whole(tokenizer, messages, generate)


def test_a_token_that_takes_in_blanks_before_it_is_not_cut_at(tokenizer):
    greedy = copy.deepcopy(tokenizer)
    greedy.add_special_tokens({"additional_special_tokens": [AddedToken("<|left|>", lstrip=True)]})
    messages = (("user", "some words   <|left|> and more"),)
    assert token_ids(greedy, messages, True) == whole(greedy, messages, True)


def test_a_template_that_takes_no_system_message_or_is_not_there_is_refused_with_its_own_words(tokenizer):
    other = copy.deepcopy(tokenizer)
    for template, words in (("{{ raise_exception('System role not supported') }}", "System role not"), (None, "set")):
        other.chat_template = template
        with pytest.raises(BadInput, match=f"roles system, user.*{words}"):
            token_ids(other, (("system", "a"), ("user", "b")), True)
