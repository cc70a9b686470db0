"""Chat completions, the form of OpenAI's API: a request as its body, and a reply read from a completion. Pure."""

import json
import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TypeGuard

from emodistill.chat import spoken, whole
from emodistill.llm.base import CUT, ChatReply, ChatRequest
from emodistill.llm.purse import Tokens

# What reading a malformed reply raises.
UNUSABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_LONGEST, _MOST = 100_000, 10**9  # characters of a reply; tokens that an endpoint may say it has used
_ROUNDING = 1e-3  # how far a log-probability may come out above 0
_TOP_LOGPROBS = 20  # the most that OpenAI and vLLM allow
WRAPPER_TOKENS = 24  # for {"choice": "…"} around a guided choice


def body_of(request: ChatRequest, model: str) -> dict[str, Any]:
    """The body of the request. A guided choice is a property of a JSON object, as OpenAI and vLLM both take it."""
    made: dict[str, Any] = {
        "model": model,
        "messages": [{"role": role, "content": content} for role, content in request.render()],
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "seed": request.seed % 2**31,
    }
    if request.logprobs:
        made |= {"logprobs": True, "top_logprobs": _TOP_LOGPROBS}
    schema = json.loads(request.schema) if request.schema else None
    if request.choices:
        one = {"type": "string", "enum": list(request.choices)}
        schema = {
            "type": "object",
            "properties": {"choice": one},
            "required": ["choice"],
            "additionalProperties": False,
        }
        made["max_tokens"] += WRAPPER_TOKENS
    if schema is not None:
        shape = {"name": "reply", "schema": schema, "strict": True}
        made["response_format"] = {"type": "json_schema", "json_schema": shape}
    return made


def usage_of(answer: Any) -> Tokens | None:
    """What the endpoint says it has used; None if it does not say."""
    usage = getattr(answer, "usage", None)
    prompt, generated = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    return Tokens(prompt, generated) if _is_count(prompt) and _is_count(generated) else None


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MOST


def reply_of(request: ChatRequest, answer: Any) -> ChatReply:
    """The reply in a completion; an exception of `UNUSABLE` if it is not shaped like one."""
    choice, used = answer.choices[0], usage_of(answer) or Tokens()
    cached = getattr(getattr(answer.usage, "prompt_tokens_details", None), "cached_tokens", 0)
    text, tokens = choice.message.content or "", (choice.logprobs and choice.logprobs.content) or []
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise TypeError(f"the content is {type(text).__name__}, or too long")
    words = spoken(text)
    if request.choices:
        words, tokens = _chosen(words, tokens, len(text) - len(words))
    return ChatReply(
        key=request.key,
        text=whole(words),
        error=CUT if getattr(choice, "finish_reason", "") == "length" and not words.strip() else "",
        prompt_tokens=used.prompt,
        cached_tokens=cached if _is_count(cached) else 0,
        generated_tokens=used.generated,
        alternatives=tuple(map(_alternative, tokens[0].top_logprobs)) if tokens else (),
    )


def _alternative(listed: Any) -> tuple[str, float]:
    """A token and its probability."""
    if not isinstance(listed.token, str) or not listed.logprob <= _ROUNDING:
        raise ValueError("a token has no probability")
    return listed.token, min(1.0, math.exp(listed.logprob))


def _chosen(text: str, tokens: Sequence[Any], thoughts: int) -> tuple[str, Sequence[Any]]:
    """The choice in {"choice": "…"} and the tokens from where it begins; plain text, if that is all there is.

    `thoughts`: characters of the reply before the text.
    """
    try:
        choice = str(json.loads(text)["choice"])
    except (ValueError, KeyError, TypeError):
        return text, tokens
    start = thoughts + text.index(choice, text.index(":"))
    starts = list(accumulate((len(token.token) for token in tokens), initial=0))
    return choice, tokens[starts.index(start) :] if start in starts else ()
