"""From an utterance to plain sentences: one kind of quote and dash, lower case, and only the speaker's own words.

Left out: words quoted from others ("you said 'deal'"), JSON, and everything after a role tag such as `debtor:` or
`<|im_start|>user`, because a line in the other side's name is not that side's move.
"""

import re
import unicodedata
from typing import NamedTuple

LIMIT = 2000  # characters of an utterance that are read

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–−", "-"),
        **dict.fromkeys("—―", " - "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"),
        **dict.fromkeys("\u2066\u2067\u2068\u2069"),
        **{"½": " and a half", "¼": " and a quarter"},
    }
)
_MARKS = str.maketrans({"*": None, "_": None, "~": " ", "¤": " ", "#": "№"})  # `#`, `~`, `¤` stand for figures later
_PICTURE = re.compile("[\u2190-\u21ff\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]+")
_HALF = re.compile(r"(?<=\d) 1/2\b")
_LONE_FRACTION = re.compile(r"(?<!\d) and a (?=half|quarter)")
_WHOLE_TEXT = re.compile(r"[\n\"{\[:'<](?<!\w')")  # what cannot be left to single sentences
_PARAGRAPH = re.compile(r"\s*\n(?:\s*\n\s*|(?=\s*[-•]))")
_ITEM = re.compile(r"^[ \t]*(\d{1,2})[.)][ \t]+(?=\S)", re.MULTILINE)
_JSON = re.compile(r"[{\[][^{}\[\]]*[:,][^{}\[\]]*[}\]]")
_ROLES = (
    r"(?:creditor|debtor|counterparty|focal|patient|scheduler|survivor|(?:rescue )?coordinator|rescuer|student"
    r"|(?:sleep )?coach|assistant|user|system|human|agent|hospital|judge)"
)
_ROLE = re.compile(  # `debtor:`, `<debtor>`, and the marks of chat templates
    rf"(?:^|(?<=[.!?>\]\"'] )|(?<=[\n.!?>\]]))[<\[*]*(?:the )?{_ROLES}[>\]*]* ?:|</?{_ROLES} ?>"
    rf"|(?:<\|[\w ▁-]{{1,40}}\|>|</?(?:start|end)_of_turn>)(?: ?(?:{_ROLES}|model|tool)\b)?|\[/?inst\]|<</?sys>>|</?s>"
)
_QUOTED = re.compile(r"\"([^\"]{0,300})\"|(?<![\w'])'(?=\w)([^']{1,300})'(?!\w)")
_OTHERS_WORDS = re.compile(
    r"\b(?:you|your|they|he|she|who|someone|word|phrase|term)\b[^,]*,?\s*$|\b(?:not|never|n't)\s*$"
)
_ATTRIBUTED = re.compile(r"^[,\s]*(?:you|they|he|she) (?:\w+ )?(?:said|say|told|wrote|claimed|keep)\b")
_END = re.compile(  # one class of characters first, for which the regex engine skips ahead
    r"([.!?;\n])(?:(?<=\n)\n*|(?<!\b[ap]\.m\.)(?<!\bapprox\.)(?<!\bmax\.)(?<!\b[md]r\.)(?<!\bmrs\.)(?<!\best\.)(?<!\bvs\.)"
    r"[\"')\]*]*\s+)",
    re.IGNORECASE,
)
_MERIDIEM = re.compile(r"\b([ap])\.\s?m\b\.?")
_OUTCRY = re.compile(r"(?:\?[?!]+|!+\?[?!]*)$")
_ABBREVIATION = re.compile(r"\b(approx|max|mr|mrs|ms|dr|est|vs)\.(?= )")

_SPELT = {
    **{"u": "you", "ur": "your", "ya": "you", "im": "i'm", "ive": "i've", "lets": "let's", "thats": "that's"},
    **{"ill take": "i'll take", "ill do": "i'll do", "ill wait": "i'll wait", "ill pay": "i'll pay"},
    **{"cant": "can't", "dont": "don't", "wont": "won't", "isnt": "isn't", "didnt": "didn't", "doesnt": "doesn't"},
    **{"gonna": "going to", "gotta": "have to", "wanna": "want to", "gimme": "give me", "lemme": "let me"},
    **{"pls": "please", "plz": "please", "thx": "thanks", "cuz": "because", "okey": "ok", "abt": "about"},
}
_CHAT = re.compile(rf"\b(?:{'|'.join(_SPELT)})\b(?![.'])|^k\b")


class Said(NamedTuple):
    """The sentences of one utterance; `tagged` if it began with another's role tag: whose words they are is open."""

    sentences: list[str]
    tagged: bool


def said(utterance: str, speaker: str = "") -> Said:
    """The sentences in the first `LIMIT` characters, each with its closing mark, still to be made `plain`.

    `speaker` is the role whose tag the text may begin with.
    """
    text, tagged = utterance[:LIMIT].strip(), False
    if not text.isascii():
        text = _LONE_FRACTION.sub(" ", text.translate(_PLAIN))
        text = _PICTURE.sub(" ", unicodedata.normalize("NFKC", text)).strip()[:LIMIT]
    if _WHOLE_TEXT.search(text):
        text, tagged = _own(text.lower(), speaker)
    return Said(_sentences(text), tagged)


def _sentences(text: str) -> list[str]:
    """The text cut after each closing mark and at line ends."""
    sentences, start = [], 0
    for end in _END.finditer(text):
        sentences.append(text[start : end.start() + (end[1] != "\n")])
        start = end.end()
    sentences.append(text[start:])
    return list(filter(None, sentences))


def plain(sentence: str) -> str:
    """A sentence in lower case with single spaces, without emphasis, points of abbreviations and chat spellings."""
    text = _OUTCRY.sub("?", " ".join(sentence.lower().translate(_MARKS).split()))
    if "/" in text:
        text = _HALF.sub(" and a half", text)
    if "." in text[:-1]:
        text = _ABBREVIATION.sub(r"\1", _MERIDIEM.sub(r"\1m", text))
    return _CHAT.sub(lambda match: _SPELT.get(match[0], "ok"), text)


def _own(text: str, speaker: str) -> tuple[str, bool]:
    """The speaker's own words, wrapped lines joined, and whether another's role tag came first."""
    items = [int(number) for number in _ITEM.findall(text)]
    if len(items) > 1 and items == list(range(1, len(items) + 1)):
        text = _ITEM.sub("- ", text)  # the numbers of a list count nothing
    text = "\n".join(" ".join(paragraph.split()) for paragraph in _PARAGRAPH.split(text))
    text = _JSON.sub(" ", text)
    first = _ROLE.match(text)
    tagged = first is not None and not _names(first[0], speaker)
    start = first.end() if first else 0
    other = _ROLE.search(text, start)
    text = text[start : other.start() if other else None].strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text.count(text[0]) == 2:
        return text[1:-1], tagged
    return _QUOTED.sub(_kept, text), tagged


def _names(tag: str, speaker: str) -> bool:
    """Whether a role tag names the speaker: a rescue coordinator is also called coordinator."""
    name = tag.strip("<>[]*: ").removeprefix("the ")
    return name != "" and name in (speaker, speaker.rpartition(" ")[2])


def _kept(match: re.Match[str]) -> str:
    text, quoted = match.string, match[2] if match[1] is None else match[1]
    before = re.split(r"[.!?;]", text[max(0, match.start() - 60) : match.start()])[-1]
    if _OTHERS_WORDS.search(before) or _ATTRIBUTED.search(text[match.end() : match.end() + 20]):
        return " "
    return quoted
