"""Language models behind one interface (base.py).

The simulator, an in-process vLLM engine, any OpenAI-compatible endpoint.
"""

from pathlib import Path

from emodistill.config import OpenAI, Scripted, Spec
from emodistill.llm.base import ChatModel
from emodistill.models import require


def make_model(spec: Spec, spending: Path | None = None, rank: int | None = None) -> ChatModel:
    """The model a spec describes. Imports its backend only now; `BadInput` if a package, model or key is missing.

    `spending`: the folder in which all processes of a run keep what they have spent at paid endpoints. `rank`: of the
    adapters that it will speak with; None: none.
    """
    if isinstance(spec, Scripted):
        from emodistill.llm.scripted import ScriptedModel

        return ScriptedModel()
    if isinstance(spec, OpenAI):
        require("openai")
        from emodistill.llm.openai import OpenAIModel

        return OpenAIModel(spec, spending)
    from emodistill.llm.vllm import VLLMModel

    return VLLMModel(spec, rank=rank)


class ModelPool:
    """Opens each spec once and closes all at the end."""

    def __init__(self, spending: Path | None = None) -> None:
        self._spending = spending
        self._made: dict[str, ChatModel] = {}
        self._ranks: dict[str, int] = {}

    def expect_adapters(self, spec: Spec, rank: int) -> None:
        """The model of that spec will speak with adapters of this rank."""
        self._ranks[spec.model_dump_json()] = rank

    def __call__(self, spec: Spec) -> ChatModel:
        """The model of that spec; equal specs share one."""
        key = spec.model_dump_json()
        if key not in self._made:
            self._made[key] = make_model(spec, self._spending, self._ranks.get(key))
        return self._made[key]

    def close(self) -> None:
        """Close every model."""
        for model in self._made.values():
            model.close()
        self._made.clear()
