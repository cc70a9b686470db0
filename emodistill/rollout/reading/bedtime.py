"""Which times of day are about the bedtime: the nearest word before a time tells `class at 8` from `in bed by 10`."""

import re

from emodistill.rollout.reading.wording import group, wording

_WE_WILL = r"(?<!let's )(?<!could )(?<!can )(?<!'ll )(?<!would )(?<!we )(?<!i )"  # no verbs of the speaker's own
_OTHER = wording(
    rf"""
    snooz\w+|class(?:es)?|lectures?|exams?|finals|quiz|tests?|school|practice|training|rehearsal|alarm|wak\w+|woke
    get(?:ting)? up|got up|rise
    bus|train|works?(?! with\b)|job|matche?s?|show|stream|movie|concert|dinner|supper|meal|(?<!about )(?<!us )meeting
    tutor\w*|session|deadline|due|submit\w*
    submission|hand(?:ed)? (?:it )?in|{_WE_WILL}(?:starts?(?! with)|shift)
    starting|ends?|ending|begins?(?! with)|finish(?:es|ed)?|opens|closes|since
    friends?|roommates?
    mom|dad|mother|father|brother|sister|parents|everyone|classmates|they|he|she|coffee|caffeine|library|gym|ate
    tournament|raid
    arriv\w+|leav\w+(?! (?:me|us|you)\b)|(?<!body )clock
    melatonin|group|band|team|call|appointment|flight|game (?:is|ends|starts|runs)|kids|people
    teens|teenagers
    adults|students|church|breakfast|interview|presentation|lab|seminar|online|left|home|party
""",
    r"\b",
    r"\b",
)
_BED = wording(
    r"""
    bed|bedtime|sleep\w*|asleep|lights?|screens?|phones?|devices?|laptop|turn\w* in|wind\w* down|shut\w*|log\w* off
    switch\w*|off by
    stop\w*|pillow|tucked|retire|call it
    (?:i'd|i would|we could|let's|to) call|done by|let's|let us|how about|what about|what if|say|propos\w+|suggest\w*
    offer\w*|settle|reckon|feel about
    compromise|meet|make it|accept|agree\w*|deal|limit|latest|no (?:later|earlier)|want\w*|need\w*|i'll|i can|i could
    i would|i'd
    (?:willing|ready|able|prepared|happy|glad) to \w+|we can|you can|can do|could you
    can you|would|manage|go (?:to|with|for|until|till|down|up)|fine|final|target
    aim\w*|push\w*|move\w*
    curfew|cut-?off|stay\w* up|be up|up (?:until|till)|give me|at most|request\w*|ask\w*|recommend\w*|commit\w*
    promise\w*|prefer\w*
    my \w+ is|okay|ok|works|earliest|means|instead|try|down to|up to|crash|done|between|than|within
""",
    r"\b",
    r"\b",
)
_PAST = wording(
    r"""
    went|was|were|tried|^\W*(?:and |but |so )?you (?:\w+ly |still )?(?:go|stay|fall|sleep|crash|end)
    got (?:home|back|in|up|off|into|to (?:bed|sleep))|slept|fell|woke|did|crashed|ended up|came home|yesterday
    last (?:night|week|time|weekend)
    used to|usually
    (?:'ve|have) (?:never|not|always|rarely|barely)
    normally|typically|generally|often|these days|currently|right now|so far|always
    every (?:single )?(?:night|day|evening)
    still (?:\w+ing|awake|up)|(?:lie|stay|i'm|wide) awake|stayed up|takes me
    your (?:\w+ )?(?:pattern|habit|routine|average|log|tracker)|most nights|on weekends|it's (?:already|now)
    it is (?:already|now)
""",
    r"\b",
    r"\b",
)
_SETTLED = group(r"""
    lights|screens|phones|devices|bedtime|limit|\w*proposal|offer|recommendation|suggestion|answer|plan|target|goal|vote
    position|number|gut|heart|compromise|best|ideal|middle|line|deal|final|i|we|you|us
""")  # what is spoken of where a bedtime is agreed on
_ROUTINE = wording(rf"""
    \b(?:my|your|the) (?:parents|friends|\w+mates?|brothers?|sisters?|family) (?:go|get|come|play|are|stay|meet|\
        \w+n't)\b
    \b(?:study|work|practice|play) from $
    ^\W*(?:it's|it is|that's|that is|which is) (?:(?:\w+ly|still|even|just|well) )+(?:before|after|past) $
    \b(?:turns in|goes to (?:bed|sleep)|gets (?:up|home|back)|comes (?:home|back)|stays up|falls asleep|\
        wakes up)[^,;]*$
    ^\W*(?:is there a reason|what keeps|why (?:are|do|is)|how do you feel at|what (?:are|do) you (?:\w+ly )?(?:do|\
        doing))\b
    ^\W*(?:(?:and|but|so|since|because) )?(?:my|the|our|a|his|her|their|everyone|everybody|nobody) \
        (?!.*\b{_SETTLED}\b)(?:\w+ ){{1,4}}?(?:\w+s|\w+n't \w+|(?:is|are) \w+) (?:\w+ ){{0,3}}(?:at|from|until|around|\
        by) (?:about |around |like )?$
""")  # my parents go to sleep at …, my club meets at …
_WILLING = r"(?:'m|'re| am| are) (?:willing|ready|happy|prepared|able|going) to"
_BY_THEN = rf"(?:(?:i|you|we)(?:'d|'ll| can| could| will| would| should| want|{_WILLING})|(?:the |your |my )?lights)\b"
_OTHER_AFTER = wording(
    rf"""
    (?:for )?(?:class\w*|lecture\w*|practice|work|school|training|breakfast)
    exam|quiz|shift|bus|train|meeting|alarm|game|show|match|deadline|movie|raid
    tournament|start|wake\w*
    (?:is|was) when(?! {_BY_THEN})
    tutor\w*|session|appointment|last night|yesterday|is already(?! (?:me|an?|my|the|more)\b)
    and (?:it's|i'm) still|seminar|lab|rehearsal|flight|(?:gym|study|group|work|video|zoom) \w+
""",
    "^(?:'s)? ",
    r"\b",
)
_HABIT_AFTER = wording(
    r"every|right now|now\b(?! is)|on (?:weekends|(?:sun|mon|tues|wednes|thurs|fri|satur)days?)|most nights",
    "^ ",
    r"\b",
)
_PROPOSES = wording(
    r"""
    let's|let us|let me|how about|what about|what if|(?:i'm|we're|i am|we are) (?:at|down|up)|thinking|hoping|i'll
    we'll|i'd|can|could|would|should|will|shall|must
    willing|propos\w+|offer\w*|suggest\w*|agree\w*|commit\w*|need|want\w*|try|aim\w*|if|said
    (?:now|down|up) to|from\b[^,;]*\bto(?= $)
""",
    r"\b",
    r"\b",
)
_PREPARES = re.compile(r"\b(?:screens?|phones?|devices?|laptop|wind\w* down|dim\w*|shower)\b")
_NOW = re.compile(r"^\W*(?:(?:and|but|wow|oh|hey)\W+)*(?:it's|it is) (?:only |almost |nearly |past |after )?$")


def is_before_bed(head: str) -> bool:
    """Whether the time is when screens go dark or the wind-down begins, so that a bedtime beside it counts for more."""
    return _PREPARES.search(head) is not None


def is_other_time(head: str, after: str) -> bool:
    """Whether the time between these two texts of one clause is a fact of the day, not a bedtime."""
    if _OTHER_AFTER.match(after) or _ROUTINE.search(head):
        return True
    if _NOW.match(head) and re.match(r" (?:already|now|and)\b", after):
        return True
    if _HABIT_AFTER.match(after) and not _PROPOSES.search(head):
        return True
    if _PAST.search(head) and not _PROPOSES.search(head):
        return True
    return _last(_OTHER, head) > _last(_BED, head)


def _last(words: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in words.finditer(text)), default=-1)
