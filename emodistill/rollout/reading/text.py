"""From an utterance to plain sentences: lower case, one kind of quote and dash, and only the speaker's own words.

Left out: words quoted from others ("you said 'deal'"), JSON, and everything after a role tag such as `debtor:`, because
a line in the other side's name is not that side's move.
"""

import re
import unicodedata
from dataclasses import dataclass

LIMIT = 2000  # characters of an utterance that are read

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–−", "-"),
        **dict.fromkeys("—―", " - "),
        **dict.fromkeys("*_\u200b\u200c\u200d\u2060\ufeff\u00ad"),
        **dict.fromkeys("~¤", " "),
        "#": "№",  # `#`, `~` and `¤` stand for figures later
    }
)
_FRACTIONS = str.maketrans({"½": " and a half", "¼": " and a quarter"})
_LONE_FRACTION = re.compile(r"(?<!\d) and a (?=half|quarter)")
_MERIDIEM = re.compile(r"\b([ap])\.\s?m\b\.?")
_ABBREVIATION = re.compile(r"\b(approx|max|mr|mrs|ms|dr|vs|est)\.(?=\s)")
_CONTRACTED = re.compile(r"\b(?:ca|wo|can)n(?: ?'?)t\b|\bcan not\b")
_PARAGRAPH = re.compile(r"\s*\n(?:\s*\n\s*|(?=\s*[-•]))")
_JSON = re.compile(r"[{\[][^{}\[\]]*[:,][^{}\[\]]*[}\]]")
_ROLE = re.compile(
    r"(?:^|(?<=[.!?\n\]>\"'] )|(?<=[\n.!?>\]]))[<\[]?(?:the )?"
    r"(?:creditor|debtor|counterparty|focal|patient|scheduler|survivor|(?:rescue )?coordinator|rescuer|student"
    r"|(?:sleep )?coach|assistant|user|system|human|agent|hospital|judge)[>\]]? ?:"
)
_QUOTED = re.compile(r"([^.!?;\"]{0,60})(?:\"([^\"]{0,300})\"|(?<![\w'])'([^']{1,300})'(?!\w))([^.!?;\"]{0,20})")
_OTHERS_WORDS = re.compile(r"\b(?:you|your|they|he|she|who|someone|word|phrase|term)\b[^,]*,?\s*$|\b(?:not|never|n't)\s*$")
_ATTRIBUTED = re.compile(r"^[,\s]*(?:you|they|he|she) (?:\w+ )?(?:said|say|told|wrote|claimed|keep)\b")
_END = re.compile(r"(?<=[.!?;])[\"')\]]*\s+|\n+")


@dataclass(frozen=True, slots=True)
class Said:
    """The sentences of one utterance; `tagged` if it began with a role tag, so that whose words they are is open."""

    sentences: tuple[str, ...]
    tagged: bool


def said(utterance: str) -> Said:
    """The first `LIMIT` characters as plain sentences, each with its closing mark."""
    text = utterance[:LIMIT]
    if not text.isascii():
        text = _LONE_FRACTION.sub(" ", text.translate(_FRACTIONS))
        text = unicodedata.normalize("NFKC", text)[:LIMIT]
    text = text.lower().translate(_PLAIN)
    if "\n" in text:
        text = "\n".join(" ".join(paragraph.split()) for paragraph in _PARAGRAPH.split(text))  # else a wrapped line
    else:
        text = " ".join(text.split())
    if "{" in text or "[" in text:
        text = _JSON.sub(" ", text)
    text, tagged = _own_lines(text) if ":" in text else (text, False)
    if '"' in text or "'" in text:
        text = _own_words(text)
    if "." in text:
        text = _ABBREVIATION.sub(r"\1", _MERIDIEM.sub(r"\1m", text))
    return Said(tuple(sentence for sentence in _END.split(text) if sentence), tagged)


def _own_lines(text: str) -> tuple[str, bool]:
    first = _ROLE.match(text)
    start = first.end() if first else 0
    other = _ROLE.search(text, start)
    return text[start : other.start() if other else None].strip(), first is not None


def _own_words(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1].replace("'t", ""):
        return text[1:-1]
    return _QUOTED.sub(_kept, text)


def _kept(match: re.Match[str]) -> str:
    before, quoted, after = match[1], match[2] if match[3] is None else match[3], match[4]
    if _OTHERS_WORDS.search(before) or _ATTRIBUTED.search(after):
        quoted = ""
    return f"{before}{quoted}{after}"
