"""Chat messages to token ids: the one rendering that rollout, training and evaluation share (METHOD.md §6)."""

from typing import Any

Messages = tuple[tuple[str, str], ...]  # (role, content)


def token_ids(tokenizer: Any, messages: Messages, generate: bool) -> list[int]:
    """Tokens of the chat under the model's own template; `generate` adds the cue for the assistant's next words."""
    chat = [{"role": role, "content": content} for role, content in messages]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=generate)
    return tokenizer(text, add_special_tokens=False)["input_ids"]
