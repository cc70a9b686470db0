"""Which emotion an utterance shows, from its words alone: a small lexicon classifier (ours).

Each label has word stems; the label with the most hits wins, the earliest hit breaks a tie, and no hit is neutral.
"""

import re

_STEMS: dict[str, str] = {
    "admiration": "admir|impress|respect|esteem|praise",
    "amusement": "ha,|haha|smile|funny|amus|laugh",
    "anger": "angry|anger|outrag|furious|crossed a line|fed up",
    "annoyance": "annoy|irritat|patience|tiresome|frustrat",
    "approval": "right step|approve of|right track|support that|endorse|well done",
    "caring": "care about|help you|look after|support you|take care|concerned for",
    "confusion": "confus|understand your figure|unclear|what do you mean|puzzl",
    "curiosity": "curious|wonder what|tell me more|may i ask|interested to",
    "desire": "really want|long for|i wish|eager",
    "disappointment": "disappoint|had hoped|let-down|let down|fall short|fell short",
    "disapproval": "object to|disapprov|simply wrong|condone|unacceptable",
    "disgust": "disgust|distaste|revolt|sicken|repuls",
    "embarrassment": "embarrass|awkward|ashamed|blush",
    "excitement": "excit|thrill|hardly wait",
    "fear": "afraid|scare|dread|fear|terrif",
    "gratitude": "thank|grateful|appreciate",
    "grief": "griev|grief|heavy loss|mourn|heart is broken|heartbroken",
    "joy": "happy|joy|delight|glad",
    "love": "i love|dear to|cherish|affection",
    "nervousness": "nervous|um,|anxious|worry|worried|uneasy",
    "optimism": "hopeful|optimis|better days|will work out|bright future",
    "pride": "proud|pride|our name stands|honour",
    "realization": "now i see|realiz|dawned|so that is what",
    "relief": "relief|relieved|weight off|breathe",
    "remorse": "regret|sorry|apolog|remorse",
    "sadness": "sad|hurts|sorrow|so down",
    "surprise": "surpris|wow|astonish|unexpected|did not expect",
}
_CUE = re.compile(r"\b(?:" + "|".join(f"(?P<{label}>{stems})" for label, stems in _STEMS.items()) + ")")


def heard_emotion(utterance: str) -> str:
    """The label the words show most; `neutral` if none."""
    hits: dict[str, int] = {}
    for match in _CUE.finditer(utterance[:2000].lower()):
        label = match.lastgroup or "neutral"
        hits[label] = hits.get(label, 0) + 1
    return max(hits, key=lambda label: hits[label]) if hits else "neutral"
