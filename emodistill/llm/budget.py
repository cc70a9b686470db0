"""What a paid endpoint may cost a run, in tokens and money (ours).

Before a request is sent, the most it can cost is set aside; when it ends, what it did cost takes that place. So what
is spent and what is in flight never exceed the cap together, in all processes of the run: each sets aside from a
slice that it has drawn from the run's purse.
"""

from collections.abc import Iterable
from pathlib import Path

from emodistill.config import OpenAI
from emodistill.errors import BadInput
from emodistill.llm.purse import Purse, Tokens

_MARK_TOKENS = 16  # at most, that a chat template puts around one text: its marks and its role
_SLICE_REQUESTS = 16  # how many requests a slice of the purse should be enough for


def at_most(texts: Iterable[str], max_tokens: int) -> Tokens:
    """The most a request of these texts can use: no tokenizer makes more tokens of a text than it has bytes."""
    prompt = sum(len(text.encode("utf-8", "surrogatepass")) + _MARK_TOKENS for text in texts) + _MARK_TOKENS
    return Tokens(prompt, max_tokens)


class Budget:
    """Tokens set aside of those drawn, against the spec's two caps. Not thread-safe: one event loop keeps it."""

    def __init__(self, spec: OpenAI, folder: Path | None = None) -> None:
        if spec.max_usd is not None and spec.usd_per_million_prompt == spec.usd_per_million_generated == 0:
            raise BadInput(
                f"models.*.max_usd caps what {spec.model} may cost, but both its prices are 0. "
                "Set usd_per_million_prompt and usd_per_million_generated beside it, or cap max_tokens_spent."
            )
        self._spec = spec
        self._capped = spec.max_tokens_spent is not None or spec.max_usd is not None
        self._purse = Purse(spec, folder if self._capped else None)
        self._left = Tokens()  # of what was drawn
        self.in_flight = 0

    def usd(self, tokens: Tokens) -> float:
        """What those tokens cost by the spec's prices."""
        spec = self._spec
        return (
            tokens.prompt * spec.usd_per_million_prompt + tokens.generated * spec.usd_per_million_generated
        ) / 1_000_000

    def fits(self, most: Tokens) -> bool:
        """Whether a request that can use that much may be sent now; draws a new slice if it must."""
        if self._left.covers(most):
            return True
        slices = [most.times(_SLICE_REQUESTS).minus(self._left), most.minus(self._left)]
        self._left = self._left.plus(self._purse.draw(slices, self._allowed))
        return self._left.covers(most)

    def set_aside(self, most: Tokens) -> None:
        """A request is sent that can use that much."""
        self._left = self._left.minus(most)
        self.in_flight += 1

    def settle(self, most: Tokens, used: Tokens) -> None:
        """That request has ended, and used this."""
        self._left = self._left.plus(most.minus(used))
        self.in_flight -= 1

    def close(self) -> None:
        """Give back what was drawn and not used."""
        if self._capped:
            self._purse.give_back(self._left)
        self._left = Tokens()

    def _allowed(self, spent: Tokens) -> bool:
        tokens, usd = self._spec.max_tokens_spent, self._spec.max_usd
        return (tokens is None or sum(spent) <= tokens) and (usd is None or self.usd(spent) <= usd)

    def __str__(self) -> str:
        spec, spent = self._spec, self._purse.drawn.minus(self._left)
        caps = [f"{spec.max_tokens_spent:,} tokens (max_tokens_spent)"] if spec.max_tokens_spent is not None else []
        caps += [f"{spec.max_usd:g} USD (max_usd)"] if spec.max_usd is not None else []
        return f"budget of {' and '.join(caps)} after {sum(spent):,} tokens and {self.usd(spent):.4f} USD"
