"""Chat messages to token ids: the one rendering that rollout, training and evaluation share (METHOD.md §6)."""

import re
from functools import lru_cache
from typing import Any

from emodistill.errors import BadInput

Messages = tuple[tuple[str, str], ...]  # (role, content)
_MARK = re.compile(r"(?<=<)(?=[|｜]|/?[A-Za-z_][\w -]{0,40}>)|(?<=\[)(?=/?[A-Z][A-Z_]+\])")
_REMEMBERED = 1 << 15  # pieces of chats; a prompt shares all but its last with the one before


def inert(text: str) -> str:
    """The text with a space inside whatever a tokenizer could take for one of its own marks, such as `<|im_end|>`.

    So nothing that is said can end its turn, or speak as the system. Marks are the likes of `<|…|>`, `</s>`, `[INST]`.
    """
    return _MARK.sub(" ", text)


def whole(text: str) -> str:
    """The text without lone surrogates, which neither a tokenizer nor a UTF-8 file can hold."""
    return text.encode("utf-8", "replace").decode()


def spoken(text: str) -> str:
    """What a reply says after a reasoning model's thoughts (`<think>…</think>`); nothing if it was cut among them."""
    _, end, words = text.rpartition("</think>")
    return words if end else "" if text.lstrip().startswith("<think>") else text


def token_ids(tokenizer: Any, messages: Messages, generate: bool) -> list[int]:
    """Tokens of the chat under the model's own template; `generate` adds the cue for the assistant's next words.

    No tokenizer merges across a special token, so what stands between two of them is tokenised once and remembered:
    a prompt costs what is new in it, not its length. `BadInput` if the template refuses these roles.
    """
    chat = [{"role": role, "content": content} for role, content in messages]
    try:
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=generate)
    except Exception as error:  # the template's own refusal, or there is none
        raise BadInput(
            f"{tokenizer.name_or_path} cannot render a chat of the roles {', '.join(dict(messages))} "
            f"({(str(error).strip() or type(error).__name__).splitlines()[0]}). Use a model whose chat template takes "
            "them; negotiation.layout: paper spares negotiators the system message."
        ) from error
    return [token for piece in _pieces(text, _border(tokenizer)) for token in _tokens(tokenizer, piece)]


def _pieces(text: str, border: re.Pattern[str] | None) -> list[str]:
    """The text cut before each special token."""
    if border is None:
        return [text]
    first, *rest = border.split(text)  # text, special token, text, …
    return [first, *map("".join, zip(rest[::2], rest[1::2], strict=True))]


@lru_cache(maxsize=8)
def _border(tokenizer: Any) -> re.Pattern[str] | None:
    """The special tokens, longest first; None if one takes in the blanks before it, so that pieces would differ."""
    special = tokenizer.added_tokens_decoder.values()
    if not special or any(token.lstrip or token.single_word for token in special):
        return None
    longest_first = sorted((token.content for token in special), key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, longest_first))})")


@lru_cache(maxsize=_REMEMBERED)
def _tokens(tokenizer: Any, piece: str) -> tuple[int, ...]:
    return tuple(tokenizer(piece, add_special_tokens=False)["input_ids"])
