"""Any OpenAI-compatible endpoint behind `ChatModel`.

A thread pool over the official client, which retries with backoff. The key is read from the environment and never
stored; failures come back as replies with an error.
"""

import math
import os
import queue
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from emodistill.config import OpenAI
from emodistill.errors import BadInput
from emodistill.llm.base import ChatReply, ChatRequest
from emodistill.models import require


class OpenAIModel:
    """Chat completions over HTTP, `concurrency` at a time."""

    def __init__(self, spec: OpenAI) -> None:
        require("openai")
        import openai

        key = os.environ.get(spec.api_key_env)
        if not key:
            raise BadInput(
                f"The environment variable {spec.api_key_env} holds no key for {spec.base_url}. "
                "Export it before the run."
            )
        self._spec = spec
        self._client = openai.OpenAI(
            base_url=spec.base_url, api_key=key, timeout=spec.timeout_s, max_retries=spec.retries
        )
        self._failure = openai.OpenAIError
        self._pool = ThreadPoolExecutor(spec.concurrency)
        self._done: queue.Queue[ChatReply] = queue.Queue()

    def submit(self, request: ChatRequest) -> None:
        """Send the request as soon as a connection is free."""
        self._pool.submit(self._ask, request).add_done_callback(partial(self._finish, request.key))

    def poll(self) -> list[ChatReply]:
        """Wait at most 0.2 s for a reply, then take all that are there."""
        replies = []
        try:
            replies.append(self._done.get(timeout=0.2))
            while True:
                replies.append(self._done.get_nowait())
        except queue.Empty:
            return replies

    def close(self) -> None:
        """Drop what is queued and close the connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _finish(self, key: str, future: "Future[ChatReply]") -> None:
        if not future.cancelled():
            error = future.exception()
            self._done.put(ChatReply(key, error=f"{type(error).__name__}: {error}") if error else future.result())

    def _ask(self, request: ChatRequest) -> ChatReply:
        options: dict[str, Any] = {"logprobs": True, "top_logprobs": 20} if request.logprobs else {}
        try:
            answer = self._client.chat.completions.create(
                model=self._spec.model,
                messages=[{"role": role, "content": content} for role, content in request.render()],  # type: ignore[misc]
                temperature=request.temperature,
                top_p=request.top_p,
                max_tokens=request.max_tokens,
                seed=request.seed % 2**31,
                **options,
            )
        except self._failure as error:
            return ChatReply(request.key, error=f"{type(error).__name__}: {error}"[:500])
        if not answer.choices:
            return ChatReply(request.key, error="the endpoint returned no choice")
        choice, usage = answer.choices[0], answer.usage
        tokens = choice.logprobs.content if choice.logprobs else None
        return ChatReply(
            key=request.key,
            text=choice.message.content or "",
            prompt_tokens=usage.prompt_tokens if usage else 0,
            generated_tokens=usage.completion_tokens if usage else 0,
            alternatives=tuple((t.token, math.exp(t.logprob)) for t in tokens[0].top_logprobs) if tokens else (),
        )
