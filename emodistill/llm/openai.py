"""Any OpenAI-compatible endpoint behind `ChatModel`.

The official client on an event loop in one thread: `concurrency` workers send what is queued. Retries are ours, since
the client's own neither cover replies that cannot be used nor end when the model is closed. What passes (a busy or
broken endpoint, a cut or slow reply) is tried again; what a prompt causes is a reply with an error; what no request
can escape (a bad key, a wrong model, a spent budget, nobody there) is raised by `poll` and so ends the task.
The key is read from the environment and never stored or shown.
"""

import asyncio
import contextlib
import json
import os
import queue
import random
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from pathlib import Path
from typing import Any

import openai

from emodistill.chat import whole
from emodistill.config import OpenAI
from emodistill.errors import BadInput, RunFailed
from emodistill.llm.base import ChatReply, ChatRequest
from emodistill.llm.budget import Budget, at_most
from emodistill.llm.completions import UNUSABLE, body_of, reply_of, usage_of
from emodistill.llm.purse import Tokens

_SECRET = 12  # characters of a key that is one
_POLL_S = 0.01  # how long `poll` waits; another backend may have a step to run meanwhile
_CONNECT_S = 10.0
_BACKOFF_S, _LONGEST_BACKOFF_S, _LONGEST_RETRY_AFTER_S = 0.5, 60.0, 120.0
_RATE_LIMIT_S = 10.0  # at a 429 that does not say when: six retries outlast a limit by the minute
_KEY = "The key in {key} must be valid for this endpoint and model."
_PLACE = "Check models.*.base_url (it usually ends in /v1) and models.*.model."
_MEND = {401: _KEY, 403: _KEY, 402: "Top up the account.", 404: _PLACE, 405: _PLACE}  # statuses that end the task
_MEND_CODES = {  # and OpenAI's error codes that do
    "insufficient_quota": "Top up the account.",
    "unsupported_parameter": "Choose a model that takes it.",
    "unsupported_value": "Change that setting, or choose a model that takes it.",
}
_OURS = ("response_format", "logprobs", "top_logprobs", "seed")  # of the body, whatever the prompt


class _Refused(Exception):
    """This prompt gets no answer, however often it is sent."""


class _Passing(Exception):
    """This attempt failed, and another may not. `nobody`: there was no connection."""

    def __init__(self, reason: str, retry_after_s: float = 0.0, nobody: bool = False) -> None:
        super().__init__(reason)
        self.retry_after_s, self.nobody = retry_after_s, nobody


class OpenAIModel:
    """Chat completions over HTTP, `concurrency` at a time; the queue is as long as what the caller has open."""

    def __init__(self, spec: OpenAI, spending: Path | None = None) -> None:
        self._key = os.environ.get(spec.api_key_env, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise BadInput(f"The key in the environment variable {spec.api_key_env} holds what no key may: line ends "
                           "or letters that are not ASCII. Export it again.")  # fmt: skip
        if not self._key:
            raise BadInput(
                f"The environment variable {spec.api_key_env} holds no key for {spec.base_url}. "
                "Export it before the run."
            )
        self._spec, self._budget = spec, Budget(spec, spending)
        self._client = openai.AsyncOpenAI(
            base_url=spec.base_url, api_key=self._key, timeout=openai.Timeout(None, connect=_CONNECT_S), max_retries=0
        )
        self._open = 0  # submitted and not yet returned
        self._done: queue.SimpleQueue[ChatReply] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._queued: asyncio.PriorityQueue[tuple[int, int, ChatRequest]] = asyncio.PriorityQueue()
        self._numbers = count()
        self._settled = asyncio.Condition()
        self._loop = asyncio.new_event_loop()
        self._main = self._loop.create_task(self._serve())
        self._thread = threading.Thread(target=self._run, name="openai", daemon=True)
        self._thread.start()

    def submit(self, request: ChatRequest) -> None:
        """Send the request as soon as a connection is free.

        Longer episodes go first, so that some are finished when a budget or a stop ends the task.
        """
        self._open += 1
        turns = 0 if request.view.seat == "judge" else len(request.view.turns)
        self._loop.call_soon_threadsafe(self._queued.put_nowait, (-turns, next(self._numbers), request))

    def poll(self) -> list[ChatReply]:
        """All replies that are there, after waiting a moment for the first.

        Raises what ended the task: `BadInput` if the endpoint refuses us or the budget is spent, `RunFailed` if
        nobody answers. Replies that came before are returned first.
        """
        failure, replies = self._failure, []
        with contextlib.suppress(queue.Empty):
            if self._open:
                replies.append(self._done.get(timeout=_POLL_S))
            while True:
                replies.append(self._done.get_nowait())
        self._open -= len(replies)
        if failure is not None and not replies:
            raise failure
        return replies

    def close(self) -> None:
        """Drop what is queued or in flight, close the connections and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._main.cancel)
            self._thread.join()
            with contextlib.suppress(OSError, RunFailed):  # then a slice too much counts as spent
                self._budget.close()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _serve(self) -> None:
        try:
            async with self._client, asyncio.TaskGroup() as workers:
                for _ in range(self._spec.concurrency):
                    workers.create_task(self._work())
        except* Exception as failures:
            self._failure = failures.exceptions[0]
        await asyncio.Event().wait()  # `submit` needs the loop until `close`

    async def _work(self) -> None:
        while True:
            *_, request = await self._queued.get()
            self._done.put(await self._answer(request))

    async def _answer(self, request: ChatRequest) -> ChatReply:
        options = body_of(request, self._spec.model)
        texts = [message["content"] for message in options["messages"]]
        most = at_most([*texts, json.dumps(options.get("response_format", ""))], options["max_tokens"])
        nobody = True
        for tried in range(self._spec.retries + 1):
            try:
                return await self._attempt(request, options, most)
            except _Refused as error:
                return ChatReply(request.key, error=str(error))
            except _Passing as error:
                trouble, nobody = error, nobody and error.nobody
            if tried < self._spec.retries:
                await asyncio.sleep(trouble.retry_after_s + full_jitter(tried))
        if nobody:
            raise RunFailed(
                f"Nobody answers at {self._spec.base_url} ({trouble}). {_PLACE} "
                "Finished episodes are kept; give the same command again when the endpoint is up."
            )
        return ChatReply(request.key, error=f"{trouble} (attempt {self._spec.retries + 1}, the last)")

    async def _attempt(self, request: ChatRequest, options: dict[str, Any], most: Tokens) -> ChatReply:
        async with self._settled:
            await self._settled.wait_for(lambda: self._budget.fits(most) or not self._budget.in_flight)
            if not self._budget.fits(most):
                raise BadInput(  # not a failure that a requeued job should try again, with new money
                    f"{self._spec.model} at {self._spec.base_url} has reached its {self._budget}. Finished episodes "
                    "are kept. It is the budget of the whole run: raise it in models.* and give the same command again."
                )
            self._budget.set_aside(most)
        used = most  # what an attempt costs that brings no usage: it may have been billed in full
        try:
            async with asyncio.timeout(self._spec.timeout_s):
                answer = await self._client.chat.completions.create(**options)
            used = usage_of(answer) or most
            reply = reply_of(request, answer)
            return reply._replace(text=self._hidden(reply.text), usd=self._budget.usd(used))
        except openai.APIStatusError as error:
            used = Tokens()
            raise self._meaning(error) from None
        except TimeoutError:
            raise _Passing(f"no complete reply within {self._spec.timeout_s:g} s") from None
        except openai.OpenAIError as error:
            cause = error.__cause__ or error
            kind = type(cause).__name__
            raise _Passing(self._shown(f"{kind}: {cause}"), nobody=kind.startswith("Connect")) from None
        except UNUSABLE as error:
            raise _Passing(self._shown(f"unusable reply: {type(error).__name__}: {error}")) from None
        finally:
            async with self._settled:
                self._budget.settle(most, used)
                self._settled.notify_all()

    def _meaning(self, error: openai.APIStatusError) -> Exception:
        """What an HTTP status means for us: end the task, give up this request, or try again."""
        said = self._shown(f"HTTP {error.status_code}: {error.message}")
        code = "unsupported_parameter" if str(error.param).partition(".")[0] in _OURS else str(error.code)
        mend = _MEND_CODES.get(code) or _MEND.get(error.status_code)
        if mend is not None:
            return BadInput(
                f"The endpoint {self._spec.base_url} refuses requests for the model {self._spec.model!r} ({said}). "
                f"{mend.format(key=self._spec.api_key_env)} Finished episodes are kept."
            )
        if error.status_code in (408, 409, 429) or error.status_code >= 500:
            header = error.response.headers.get("retry-after", "")
            silent = error.status_code == 429 and not header
            return _Passing(said, _RATE_LIMIT_S if silent else retry_after_s(header))
        return _Refused(said)

    def _shown(self, text: str) -> str:
        """One short line without the key, whatever the endpoint says."""
        return " ".join(whole(text.replace(self._key, "(key)")).split())[:300]

    def _hidden(self, text: str) -> str:
        """A reply without the key, should the endpoint repeat it; shorter ones are words, such as EMPTY."""
        return text.replace(self._key, "(key)") if len(self._key) >= _SECRET else text


def retry_after_s(header: str) -> float:
    """Seconds to wait by a Retry-After header, a number or an HTTP date; 0 if it says nothing, 120 at most."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return 0.0
    return min(max(0.0, seconds), _LONGEST_RETRY_AFTER_S)


def full_jitter(tried: int) -> float:
    """Seconds to wait after that many retries: uniform up to a bound that doubles, so that workers spread out."""
    return random.uniform(0, min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2**tried))
