"""Which times of day are about the bedtime: the nearest word before a time tells `class at 8` from `in bed by 10`."""

import re

_OTHER = re.compile(
    r"\b(?:class(?:es)?|lectures?|exams?|finals|quiz|tests?|school|practice|training|rehearsal|alarm|wak\w+|woke|get(?:ting)? up|got up|rise|bus|train|shift|works?|job"
    r"|matche?s?|show|stream|movie|concert|dinner|supper|meal|meeting|tutor\w*|session|deadline|due|submit\w*|submission|hand(?:ed)? (?:it )?in|starts?|starting|ends?|ending|begins?|finish(?:es|ed)?|opens?|closes?"
    r"|since|friends?|roommates?|mom|dad|mother|father|brother|sister|parents|everyone|classmates|they|he|she|coffee|caffeine|library|gym|ate|tournament|raid|arriv\w+|leav\w+|clock"
    r"|melatonin|group|band|team|call|appointment|flight|game (?:is|ends|starts|runs)|kids|people|teens|teenagers|adults|students|church|breakfast|interview|presentation|lab|seminar|online|left|home|party)\b"
)
_BED = re.compile(
    r"\b(?:bed|bedtime|sleep\w*|asleep|lights?|screens?|phones?|devices?|laptop|turn\w* in|wind\w* down|shut\w*|log\w* off|switch\w*|off by|stop\w*|pillow|tucked|retire|call it|done by|let's|let us|how about|what about|what if|say|propos\w+"
    r"|suggest\w*|offer\w*|settle|compromise|meet|make it|accept|agree\w*|deal|limit|latest|no (?:later|earlier)|want\w*|need\w*|i'll|i can|i could|i would|i'd|we can|you can|can do|could you|can you|would|manage|go (?:to|with|for|until|till|down|up)|fine|final|target|aim\w*|push\w*|move\w*"
    r"|curfew|cutoff|cut-off|stay\w* up|be up|up until|up till|give me|need until|at most|request\w*|ask\w*|recommend\w*|commit\w*|promise\w*|prefer\w*|my \w+ is|okay|ok|works|earliest|means|instead|try|down to|up to|crash|done|between|than|within)\b"
)
_ROUTINE = re.compile(
    r"^\W*(?:and |but |so |since |because )?(?:my|the|our|a|his|her|their) (?!.*\b(?:lights|screens|phones|devices|bedtime|limit|proposal|offer)\b)(?:\w+ ){1,3}?\w+s (?:up |out |again |back )?(?:at|from|until|around|by) (?:about |around )?$"
)
_PAST = re.compile(
    r"\b(?:went|was|were|got|slept|fell|woke|did|crashed|ended up|came home|yesterday|last (?:night|week|time|weekend)|used to|usually|normally|typically|generally|often|these days|currently|right now|so far|always|every (?:single )?(?:night|day|evening)"
    r"|most nights|on weekends|it's (?:already |now )?|it is (?:already |now )?)\b"
)
_OTHER_AFTER = re.compile(
    r"^(?:'s)? (?:class\w*|lecture|exam|quiz|shift|practice|bus|train|meeting|alarm|game|show|match|deadline|movie|raid|tournament|start|is when|was when|wake\w*|tutor\w*|session|appointment|last night|yesterday|every (?:night|day|single)|is already|already|right now|now\b(?! is)|on weekends|most nights|and (?:it's|i'm) still|lecture\w*|seminar|lab|rehearsal|flight|(?:gym|study|group|work|video|zoom) \w+)"
)


def is_other_time(head: str, after: str) -> bool:
    """Whether the time between these two texts of one clause is a fact of the day, not a bedtime."""
    if _OTHER_AFTER.match(after) or _ROUTINE.match(head):
        return True
    other, bed = _last(_OTHER, head), _last(_BED, head)
    if _PAST.search(head) and not re.search(r"\b(?:now|down|up) to\b|\bfrom\b[^,;]*\bto $|\bif\b|\bwant|\bpropos|\bsaid\b", head):
        return True
    return other > bed


def _last(words: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in words.finditer(text)), default=-1)
