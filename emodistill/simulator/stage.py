"""What a simulated speaker looks up once a scenario: axis, reactions, sentences (ours)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from emodistill.domains import domain_named
from emodistill.domains.base import Speech
from emodistill.records import Scenario
from emodistill.simulator.hearing import quotes_of
from emodistill.simulator.kernels import Axis, Kernels, axis_of, kernels, limit_units
from emodistill.simulator.phrases import LINKS


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything but the dialogue."""

    axis: Axis
    limit: int  # whole units that the counterparty gives up at most
    kernels: Kernels
    quotes: tuple[str, ...]  # see hearing.quotes_of
    levers: tuple[str, ...]
    speech: Speech
    linked: Speech  # the focal side's sentences after something else it says
    say: Callable[[float], str]  # a value in words


@lru_cache(maxsize=256)  # as many as a task has scenarios in flight
def stage(scenario: Scenario, persona: str, max_messages: int) -> Stage:
    """The stage of that scenario."""
    domain = domain_named(scenario.domain)
    return Stage(
        axis=axis_of(scenario),
        limit=limit_units(scenario, persona),
        kernels=kernels(scenario, persona, max_messages),
        quotes=quotes_of(scenario),
        levers=tuple(sentence.format(**scenario.spoken_facts()) for _, sentence in domain.levers),
        speech=domain.speech,
        linked=_linked(domain.speech),
        say=domain.quantity.say,
    )


def _linked(speech: Speech) -> Speech:
    def every(bank: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_link(link, sentence) for sentence in bank for link in LINKS)

    return replace(speech, open=every(speech.open), offer=every(speech.offer), hold=every(speech.hold))


def _link(link: str, sentence: str) -> str:
    if sentence.startswith("{"):
        return sentence
    return link + (sentence if not link or sentence.startswith(("I ", "I'")) else sentence[0].lower() + sentence[1:])
