"""An in-process vLLM engine behind `ChatModel`. GPU: adapters side by side as LoRA requests. CPU: merged weights.

On a CPU an unmerged adapter is several times slower, so the adapter is merged into the engine's own weights in place,
and requests for another adapter wait until the engine is idle and the weights are swapped (0.2 s for 135M).
"""

import math
import os
from collections import deque
from pathlib import Path
from typing import Any, get_args

from emodistill.chat import spoken, token_ids
from emodistill.config import VLLM
from emodistill.errors import BadInput
from emodistill.llm.base import CUT, ChatReply, ChatRequest
from emodistill.models import native_bfloat16, require, resolve

_MAX_LORAS = 8


class VLLMModel:
    """One engine of one base model, with any number of its adapters.

    `merge` puts an adapter into the weights instead of beside them; by default on CPUs only. `rank`: of the adapters
    that will come; None: none will, and no memory is kept for them.
    """

    def __init__(self, spec: VLLM, merge: bool | None = None, rank: int | None = None) -> None:
        require("vllm")
        self._source = resolve(spec.model)
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(spec.kv_cache_gb))
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0" if spec.tensor_parallel == 1 else "1")
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        from vllm import EngineArgs, LLMEngine
        from vllm.config import StructuredOutputsConfig
        from vllm.platforms import current_platform

        cpu = current_platform.is_cpu()
        dtype = "float32" if spec.dtype == "auto" and cpu and not native_bfloat16() else spec.dtype
        self._merge = cpu if merge is None else merge
        device: dict[str, Any] = {
            # A per-request seed with chunked prefill kills the CPU engine.
            "enforce_eager": True, "enable_chunked_prefill": False,
            "max_num_batched_tokens": max(8192, spec.max_model_len),
            "block_size": 32,  # the least it takes: the prefix cache serves whole blocks
        } if cpu else {
            "tensor_parallel_size": spec.tensor_parallel, "gpu_memory_utilization": spec.gpu_memory_utilization,
        }  # fmt: skip
        if not self._merge and rank is not None:
            device |= {"enable_lora": True, "max_loras": _MAX_LORAS, "max_lora_rank": _served_rank(rank)}
        # A weak model fills JSON with blanks until its tokens are spent, if it may.
        guided = StructuredOutputsConfig(backend="xgrammar", disable_any_whitespace=True)
        try:
            self._engine = LLMEngine.from_engine_args(
                EngineArgs(
                    model=self._source, dtype=dtype, max_model_len=spec.max_model_len,
                    max_num_seqs=spec.max_num_seqs, enable_prefix_caching=True, disable_log_stats=True,
                    trust_remote_code=False, structured_outputs_config=guided, **device,
                )
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise BadInput(f"vLLM cannot load models.*.model {spec.model!r}: {str(error)[:400]}") from error
        self._tokenizer = self._engine.get_tokenizer()
        self._limit = spec.max_model_len
        self._adapter: Path | None = None  # whose weights are merged in, on a CPU
        self._waiting: deque[ChatRequest] = deque()
        self._refused: list[ChatReply] = []
        self._loras: dict[Path, int] = {}

    def submit(self, request: ChatRequest) -> None:
        """Queue a request; on a CPU one for other weights than those loaded waits for the swap."""
        if self._merge and request.adapter != self._adapter:
            self._waiting.append(request)
        else:
            self._add(request)

    def poll(self) -> list[ChatReply]:
        """Run one engine step; the replies that finished in it."""
        if self._waiting and not self._engine.has_unfinished_requests():
            self._swap(self._waiting[0].adapter)
            batch, self._waiting = self._waiting, deque()
            for request in batch:
                self.submit(request)
        refused, self._refused = self._refused, []
        if not self._engine.has_unfinished_requests():
            return refused
        return refused + [_reply(output) for output in self._engine.step() if output.finished]

    def close(self) -> None:
        """Let go of the engine; its memory returns with the process."""
        del self._engine

    def reset_cache(self) -> None:
        """Forget all cached prefixes."""
        self._engine.reset_prefix_cache()

    def prompt_ids(self, request: ChatRequest) -> list[int]:
        """The token ids the engine is given."""
        return token_ids(self._tokenizer, request.render(), generate=True)

    def _add(self, request: ChatRequest) -> None:
        from vllm import SamplingParams
        from vllm.lora.request import LoRARequest

        ids = self.prompt_ids(request)
        if len(ids) + request.max_tokens > self._limit:
            error = f"prompt of {len(ids)} tokens and {request.max_tokens} new ones exceed max_model_len {self._limit}"
            self._refused.append(ChatReply(request.key, error=error))
            return
        sampling = SamplingParams(
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            seed=request.seed if request.temperature > 0 else None,
            logprobs=20 if request.logprobs else None,
            structured_outputs=_guided(request),
        )
        lora = None
        if request.adapter is not None and not self._merge:
            number = self._loras.setdefault(request.adapter, len(self._loras) + 1)
            # vLLM takes requests of one name for the same adapter, and every adapter's folder is called `adapter`.
            lora = LoRARequest(str(request.adapter), number, str(request.adapter))
        self._engine.add_request(request.key, {"prompt_token_ids": ids}, sampling, lora_request=lora)

    def _swap(self, adapter: Path | None) -> None:
        if adapter is None:
            weights = self._source
            self._engine.collective_rpc("reload_weights", kwargs={"weights_path": weights})
        else:
            from emodistill.policy.adapters import merged_weights

            iterator = list(merged_weights(self._source, adapter).items())
            self._engine.collective_rpc("reload_weights", kwargs={"weights_iterator": iterator})
        self.reset_cache()
        self._adapter = adapter


def _served_rank(rank: int) -> int:
    """The least rank that vLLM can be set to and that holds this one."""
    from vllm.config.lora import MaxLoRARanks

    ranks: tuple[int, ...] = get_args(MaxLoRARanks)
    return min(served for served in ranks if served >= rank)


def _guided(request: ChatRequest) -> Any:
    from vllm.sampling_params import StructuredOutputsParams

    if request.schema:
        return StructuredOutputsParams(json=request.schema)
    return StructuredOutputsParams(choice=list(request.choices)) if request.choices else None


def _reply(output: Any) -> ChatReply:
    best = output.outputs[0]
    first = best.logprobs[0].values() if best.logprobs else ()
    words = spoken(best.text)
    return ChatReply(
        key=output.request_id,
        text=words,
        error=CUT if best.finish_reason == "length" and not words.strip() else "",
        prompt_tokens=len(output.prompt_token_ids),
        cached_tokens=output.num_cached_tokens or 0,
        generated_tokens=len(best.token_ids),
        alternatives=tuple((item.decoded_token or "", math.exp(item.logprob)) for item in first),
    )
