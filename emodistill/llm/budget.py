"""What a paid endpoint may cost: the cap of one task, in tokens and money (ours).

Before a request is sent, the most it can cost is set aside; when it ends, what it did cost takes that place. So what
is spent and what is in flight never exceed the cap together.
"""

from collections.abc import Iterable
from typing import NamedTuple

from emodistill.config import OpenAI
from emodistill.errors import BadInput

_MARK_TOKENS = 16  # at most, that a chat template puts around one text: its marks and its role


class Tokens(NamedTuple):
    """Prompt and generated tokens."""

    prompt: int = 0
    generated: int = 0


def at_most(texts: Iterable[str], max_tokens: int) -> Tokens:
    """The most a request of these texts can use: no tokenizer makes more tokens of a text than it has bytes."""
    prompt = sum(len(text.encode("utf-8", "surrogatepass")) + _MARK_TOKENS for text in texts) + _MARK_TOKENS
    return Tokens(prompt, max_tokens)


class Budget:
    """Tokens spent and set aside, against the spec's two caps. Not thread-safe: one event loop keeps it."""

    def __init__(self, spec: OpenAI) -> None:
        if spec.max_usd is not None and spec.usd_per_million_prompt == spec.usd_per_million_generated == 0:
            raise BadInput(
                f"models.*.max_usd caps what {spec.model} may cost, but both its prices are 0. "
                "Set usd_per_million_prompt and usd_per_million_generated beside it, or cap max_tokens_spent."
            )
        self._spec = spec
        self._spent = Tokens()
        self.in_flight = 0

    def usd(self, tokens: Tokens) -> float:
        """What those tokens cost by the spec's prices."""
        spec = self._spec
        return (
            tokens.prompt * spec.usd_per_million_prompt + tokens.generated * spec.usd_per_million_generated
        ) / 1_000_000

    def fits(self, most: Tokens) -> bool:
        """Whether a request that can use that much may be sent now."""
        after, spec = _plus(self._spent, most), self._spec
        return (spec.max_tokens_spent is None or sum(after) <= spec.max_tokens_spent) and (
            spec.max_usd is None or self.usd(after) <= spec.max_usd
        )

    def set_aside(self, most: Tokens) -> None:
        """A request is sent that can use that much."""
        self._spent = _plus(self._spent, most)
        self.in_flight += 1

    def settle(self, most: Tokens, used: Tokens) -> None:
        """That request has ended, and used this."""
        self._spent = _plus(self._spent, Tokens(used.prompt - most.prompt, used.generated - most.generated))
        self.in_flight -= 1

    def __str__(self) -> str:
        spec = self._spec
        caps = [f"{spec.max_tokens_spent:,} tokens (max_tokens_spent)"] if spec.max_tokens_spent is not None else []
        caps += [f"{spec.max_usd:g} USD (max_usd)"] if spec.max_usd is not None else []
        return f"budget of {' and '.join(caps)} after {sum(self._spent):,} tokens and {self.usd(self._spent):.4f} USD"


def _plus(one: Tokens, other: Tokens) -> Tokens:
    return Tokens(one.prompt + other.prompt, one.generated + other.generated)
