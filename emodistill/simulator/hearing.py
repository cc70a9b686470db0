"""Which emotion an utterance shows, from its words alone: a small lexicon classifier (ours).

Each label has cues; the label with the most hits wins, the earliest hit breaks a tie, and no hit is neutral. A cue
after a negation does not count, nor does one inside a fact or a lever that the utterance quotes: a hearer knows the
scenario and can tell a quoted "Relief Fund" from relief.
"""

import re
from functools import lru_cache

from emodistill.domains import domain_named
from emodistill.records import Scenario

_CUES: dict[str, str] = {
    "admiration": "admir|impress(?:ed|ive)|full respect|respect (?:you|how|what)|esteem|prais|so well\\b|look up to|"
    "remarkable|in awe|hats off",
    "amusement": "ha,|haha|smil|funny|amus|laugh|joke|chuckl|comical|humou?r|hilarious|grin(?:ning)?\\b",
    "anger": "angry|anger|outrag|furious|crossed a line|fed up|blood is boiling|me mad\\b|enrag|livid|fuming|rage",
    "annoyance": "annoy|irritat|patience|tiresome|frustrat|grates|nerves\\b|tired of|bother(?:s|ed|some)|exasperat",
    "approval": "right step|approv|right track|support that|endors|well done|done well|right thing|sound way|good call|"
    "fully agree with|makes good sense|well put",
    "caring": "care about|help you|look after|support you|take care|concerned (?:for|about) you|face this alone|"
    "ease this|here for you|your wellbeing|matters to me how you",
    "confusion": "confus|(?:not|don't|can't) understand|unclear|you mean|puzzl|make sense of|lost me|that i follow|"
    "baffl|perplex|at a loss|bewilder",
    "curiosity": "curious|curiosity|wonder (?:what|how|why)|tell me more|may i ask|interest(?:ed)? (?:to|in)|"
    "love to know|lies behind|keen to|intrigu|fascinat|could you explain",
    "desire": "really want|i long\\b|wish we|eager|yearn|want more|crav|give a lot|desperate(?:ly)? (?:to|want)|"
    "wish for nothing|dream of|desire",
    "disappointment": "disappoint|had hoped|let-down|let ?down|falls? short|fell short|expected (?:better|more)|"
    "dishearten|discourag|hopes were|dismay",
    "disapproval": "object to|disapprov|simply wrong|condone|unacceptable|take issue|(?:not|isn't) how this|"
    "against this|not right|reject (?:this|that)|oppose|inappropriate",
    "disgust": "disgust|distast|revolt|sicken|repel|repuls|my stomach turn|turns my stomach|vile\\b|appall|loath",
    "embarrassment": "embarrass|awkward|ashamed|blush|where to look|face is red|mortif|foolish|sheepish|cringe",
    "excitement": "excit|thrill|hardly wait|can't wait|cannot wait|fired up|pulse racing|enthusias|buzzing|exhilarat|"
    "pumped|stoked",
    "fear": "afraid|scare|scary|dread|fear|terrif|fright|trembl|panic|horrif",
    "gratitude": "thank|grateful|gratitude|apprecia|obliged|means a lot|in your debt",
    "grief": "griev|grief|heavy loss|mourn|heart is broken|heartbroken|hard to bear|weep|bereft|bereav|devastat",
    "joy": "happy|joy|delight|glad|pleasure|made my day|overjoy|cheerful|pleased|wonderful",
    "love": "i love (?!to know)|dear to|cherish|affection|my heart\\b(?! is)|fond\\b|ador|dearly",
    "nervousness": "nervous|um,|anxious|worry|worried|worri|uneasy|on edge|shak|tense|butterflies|jitter|apprehens",
    "optimism": "hopeful|optimis|better days|will work out|bright future|confident|looking up|light at the end|"
    "good chance|turn out well|faith that",
    "pride": "proud|pride|name stands|honou?r|record speaks|heads high|good name|second to none|dignity",
    "realization": "now i (?:see|get|understand)|reali[sz](?!tic)|dawn|so that is what|makes sense now|opened my eyes|"
    "clear to me|it clicks|i had missed|aha\\b",
    "relief": "relie[fv]|weight off|breathe|mind at rest|phew|off my mind|relax|off my shoulders|at ease",
    "remorse": "regret|sorry|apolog|remorse|forgive my|my fault|take it back|guilt|should not have|my mistake",
    "sadness": "sad|hurts|sorrow|so down|pains me|heart is heavy|unhappy|cry(?:ing)?\\b|tears\\b|gloomy|miserable",
    "surprise": "surpris|wow|astonish|unexpected|not expect|amaz|never saw|didn't see|off guard|aback|stunned|"
    "never thought|startl",
}
_NEGATION = r"(?<!\bnot )(?<!\bno )(?<!\bnever )(?<!n't )(?<!\bwithout )"
_CUE = re.compile(_NEGATION + r"\b(?:" + "|".join(f"(?P<{label}>{cues})" for label, cues in _CUES.items()) + ")")
_SENTENCES = re.compile(r" (?<=[.!?] )")


@lru_cache(maxsize=8192)  # each utterance is heard again one turn later
def heard_emotion(utterance: str, quotes: tuple[str, ...] = ()) -> str:
    """The label the words show most; `neutral` if none. What is in `quotes` is not the speaker's own feeling."""
    for quote in quotes:
        utterance = utterance.replace(quote, "")
    hits = [label for sentence in _SENTENCES.split(utterance[:2000]) for label in _cues(sentence)]
    if len(hits) > 1:
        return max(hits, key=hits.count)
    return hits[0] if hits else "neutral"


def quotes_of(scenario: Scenario) -> tuple[str, ...]:
    """Facts and levers of the scenario that would be mistaken for a feeling, longest first; mostly there are none."""
    values = scenario.spoken_facts()
    said = {*values.values(), *(sentence.format(**values) for _, sentence in domain_named(scenario.domain).levers)}
    return tuple(sorted((text for text in said if heard_emotion(text) != "neutral"), key=len, reverse=True))


@lru_cache(maxsize=4096)
def _cues(sentence: str) -> tuple[str, ...]:
    """The labels of the cues in one sentence, in order."""
    return tuple(match.lastgroup or "" for match in _CUE.finditer(sentence.lower().replace("’", "'")))
