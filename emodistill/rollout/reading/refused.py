"""Figures that the speaker turns down: negated, called too much, or the lesser of two choices.

A denied bound is an offer: `no later than 45 days`, `I can't go beyond 30 days`, `not before midnight`.
"""

import re

from emodistill.rollout.reading.wording import group, wording

_NEGATION = wording(r"""
    \b(?:not|cannot|never|neither|nor|unable|impossible|nobody|none|nothing|nowhere|miracle|refus\w+|\
        reject\w*|declin\w+|hardly|without|no)\b
    \bforget\b|\bhow (?:can|could|am) (?:i|anyone|anybody|you)\b|\bwho (?:can|could|would|even|actually|really)\b|n't\b
    [~¤] chance\b|\bstop (?:\w+ing|with|w/)|\btoo (?:long|late|early|soon|much) (?:to|for)\b
""")
_HARMLESS = wording(
    r"""
    no (?:shame|harm|problems?|objections?|issues?|choice|doubt|later|more(?! talk)|less|longer|sooner|earlier|fewer)\b
    no further\b|no ?,
    why not\b
    not (?:only|just|a problem|opposed|against|unreasonable|unwilling|be unhappy)\b|why (?:don't|can't)\b
    (?:don't|do not|wouldn't|won't|would not|will not) (?:mind|object|oppose|complain|fight you|argue|regret|hurt)\b
    (?:don't|do not) (?:say no|let|be(?!lieve)|worry|turn (?:down|away)|reject|refuse|dismiss)
    how can (?:i|we) (?:get|make|convince)
    cannot (?:emphasi|stress|thank)
""",
    r"\b",
)
_ASKED = re.compile(
    r"\b(?:(?:ca|could|wo|would|is|should|do|did|are)n't|cannot) (?:we|you|it|that|there|i)\b|^\W*(?:\w+,? )?\w+n't $"
)
_IF = re.compile(r"^ ?(?:,? ?and )?(?:if|unless)\b")
_IF_ALONE = re.compile(r"^ ?(?:and |but )?if $")  # if 30 days isn't enough for you
_BOUND = wording(
    r"""
    (?:more|less|worse|past|\w+er) than
    over|under|above|below|beyond|past|before|after|exceed(?:ing)?|(?:short|shy|north|south) of
    (?:sleep|asleep|bed|screens?|phone|down|off|there|you|pay|paid) (?:until|till)
    anything but|nothing but|except
    (?:budg\w+|mov\w+|shift\w*|deviat\w+|back(?:ing)? (?:down|away|off)|retreat\w*|waver\w*|stray\w*|step\w*|\
        com\w+ (?:off|down)|go\w*)(?: any further| away| down| back| up)? (?:from|off|off of)
""",
    r"\b",
    r" (?:about |around |the |those |that |a |my |our |day |minute |at least |at most )*$",
)
_RATHER = wording(r"""
    \b(?:instead of|rather than|than(?= (?:at|in|by) $)|as opposed to|compared (?:to|with)|versus|vs|in place of|\
        never mind|forget(?: about)?|let alone|much less|not|nor) (?:(?:in|at|for|after|within|wait|waiting|do|doing|\
        by|on|a|the|your|those|another|about|even|paying|going) )*$
    \bno (?:world|universe|scenario|version)\b[^,;#~]*$|^\W*(?:anything|everything) but $
    (?:'s|\b(?:is|are|was|still|way|far|much)) (?:better|worse|more|less|\w+er) than (?:about |the |your )?$
    \bwhen (?:i|you) (?:hear|say|think of|see) $|(?<!\bdo )\bi (?:keep )?hear(?:ing)? $|(?:\b(?:one|any)|~) more ['"]?$
    \b(?:wish|if only) (?:i|we) could (?:\w+ )?(?:say|tell|give|offer|promise|do|grant|make|get|accept|take)\b[^,;]*$
    (?:\brather|(?:'d|\bwould) sooner)\b[^;]*\bthan\b[^,;]*$
    \b(?:would|could|should|might)(?:'ve| have) (?:\w+ly |been |just )?\w+(?:ed|en|ne|id)\b[^,;]*$
""")
_STEP = wording(
    r"""
    (?:shav\w+|knock\w*|trim\w*|slic\w+|add(?:s|ed|ing)?|gain\w*|sav(?:e|es|\
        ing))(?: off| you| us)?(?: another| an extra| up to)?
    moved|conceded|given up|(?:c[ao]me|gone) (?:up|down)
    (?:shorten\w*|cut\w*|lower\w*|rais\w+|reduc\w+|push\w*|mov\w+|delay\w*|improv\w+|\
        slip\w*)[^,;]{0,30} by(?: another| about)?
""",
    r"\b",
    " $",
)

_BE = group(r"""
    is|are|was|would be|will be|'s|seems?|feels?|sounds?|looks?|might be|may be|'d be|remains?
    just|still|\w+ly
""")
_BAD = group(r"""
    too|impossible|unacceptable|unrealistic|unreasonable|ridiculous|absurd|insane|crazy|madness|unthinkable
    insufficient|unworkable
    off (?:the table|limits|the cards)|nonsense|no good|out of (?:the question|reach)|far|way|forever|ages|agony|hell
    torture|suicide
    pushing it|more than (?:i|we|my|our|anyone)|less than (?:i|we) (?:need|can)|asking|inhuman\w*|cruel|hopeless
    unfair|unbearable
    endless|excessive|laughable|outrageous|unsafe|dangerous|reckless|irresponsible|unheard|beyond|wishful|nowhere|not
    never|hardly|dead|a no|the (?:kind|sort|reason)\b|why|(?:long |already )?(?:gone|expired|over)
    no (?:way|option|use|solution|joke)|(?:just|simply|still|much|far) (?:too|not)|hard to (?:swallow|accept)
    untenable|intolerable|inadequate
    an? (?:\w+ )?(?:joke|sentence|warrant|non-?starter|insult|slap|nightmare|deal-?breaker|fantasy|eternity|lifetime|\
        long time|lot|ask|no-go|no|dream|problem|torture|stretch)
""")
_WITH = (
    r"(?: or (?:more|longer|later))?(?: (?:of|for|in|at|to|from|as)(?: \w+){1,3})?"
    r"(?: (?:(?:of )?waiting|bedtime|wait|more|here|alone|anyway|that|it|this|down here|just|simply|really|still))*,?"
)
_NOUN = r"(?!(?:and|but|or|if|so|then|because|which|when|where|what|until|i|we|you|it|he|she|they|there) )[a-z]+"
_GOOD = r"(?:(?:an?|the|quite|very|really|perfectly|pretty|about) ){0,2}" + group("""
    fair|good|great|reasonable|realistic|decent|sensible|healthy|doable|solid|right|plan|deal|compromise|balance|win
""")
_UNWILLING = r"(?:something|what|one thing) (?:i|we|nobody|no one|none)\b[^,;.]{0,24}(?:n't|not|never|refuse|ever)\b"
_BAD_AFTER = wording(
    rf"""
    {_WITH}(?: (?:that|it|this)|(?:[ -]{_NOUN}){{1,2}})?(?: ?{_BE})+ (?:{_BAD}\b|{_UNWILLING})
    {_WITH}(?:[ -]{_NOUN})? (?:won't|will not|can't|cannot|can not|doesn't|does not|don't|isn't|is not|wouldn't|\
        would not|aren't|ain't|do not)\b
    {_WITH} (?:(?:is|will|would) never|never|makes no|leaves (?:me|us)|gives me no|gets us nowhere)\b
    {_WITH}(?:[ -]{_NOUN})? (?:will|would|could|might|may|'d|'ll) (?:\w+ )?(?:kill|ruin|bankrupt|destroy|break|finish|\
        hurt|sink|never|wreck|crush|drown|cost(?! (?:you )?nothing)|mean (?:i|we) (?:never|lose|can't|won't|have no)|\
        mean (?!a lot|the world|so much|everything|i|we|you|that)|end (?:me|us)|leave me without|put (?:me|us|my)|\
        leave (?:me|us|my \w+) (?!enough|some|time|room)|get me fired)\b
    {_WITH} (?:will|would|could|might|may|'d|'ll) be (?:my death|too|far|impossible|unacceptable|unbearable|\
        the (?:death|end)|an? (?:disaster|nightmare|catastrophe|death))
    {_WITH} (?:makes?|made) (?:me|my \w+|us) (?!happy|proud|smile|whole|comfortable|hopeful|very happy|feel (?:safe|\
        better|good|heard))\w+
    {_WITH} is (?:\w+er|more|less) than (?:my|any|what|our|the|anyone|nothing)\b
    \ is (?:\w+ly )?(?:wreck|hurt|kill|ruin|destroy|drain|harm|exhaust)ing\b
    \ is for (?:little |old )?(?:bab\w+|toddlers?|kids|children|grand\w+|fools|losers|people)\b
    [,:]? ?-?-? ?(?:impossible|no way|not possible|too (?:long|late|early|soon|short|much)|out of the question|\
        never|forget it|not happening|unacceptable|are you (?:kidding|serious|joking|crazy|insane))\b
    \ (?:kills?|ruins|bankrupts|destroys|breaks|scares|terrifies|\
        (?:sounds like|feels like|strikes me as)(?! {_GOOD}\b)|hurts|\
        exceeds?|goes (?:too|way|far)|misses|falls short)\b
""",
    "^",
)
_AFTER_ALL = wording(r"""
    (?:\bnot|n't) (?:negotiable|up for|too much to ask|unreasonable|impossible|a lot|much|(?:that|so) (?:long|bad|\
        much|late)|unfair|forever|a suggestion|a problem|(?:too )?bad|going to change)
    (?:\b(?:not|never)|n't)(?: even)?(?: (?:be|seem|sound|look|feel|going to|like|really))* (?:asking|too|that|so|\
        hurt|harm|kill|break|ruin|destroy|bankrupt|cost|sink|crazy|cruel)\b
    \bno (?:problem|trouble)|(?:n't|\bnot) [^,;.]{1,28}, (?:but )?(?:it's|it is|i'm(?! (?:sorry|afraid))|that's)\b
    \bbut (?:ok|okay|fine|doable|i'll|we'll)\b
    , (?:i know, )?(?:but|yet) (?:it's|it is|i can|we can) (?!not\b|too\b|never\b)
    \bnot (?:a )?(?:day|minute|hour|week|second|one|later|longer|more|sooner|earlier)
""")


_IF_AGREED = wording(
    r"""
    if (?:i|we) (?!get\b|have\b|can\b|could\b|hear\b|had\b|stay\w*\b)\w+|with|at|even|after
    giv\w+|accept\w+|agree\w+|go\w+|wait\w+|sleep\w+|staying|being|push\w+|tak\w+|say\w+
""",
    r"^\W*(?:(?:and|but|so|because|no) )?(?:",
    r")\b[^,;]*$",
)
_RUIN = wording(
    r"""
    los(?:e|es|ing)|dead|die|dying|fired|ruin\w*|bankrupt\w*|kill\w*|lying|a lie|panic|collapse|broke|homeless|evict\w*
    cruel|break me|come down|crush\w*|nothing left|suicide|over for me|finished
""",
    r"^(?:(?!n't|\b(?:not|no|nobody|without|instead|or|before)\b)[^.;]){0,48}\b",
    r"\b",
)
_LOVE_TO = re.compile(r"(?:'d|\bwould) (?:really |gladly )?(?:love|like) to (?:say|tell|give|offer|promise|do|grant)\b")
_DOUBTED = re.compile(r"(?:n't|\bnot|\bnever) (?:think|believe|feel like|call|say)\b(?! (?:i|we|you|no|yes)\b)")
_TAG = wording(
    r"(?:do|does|is|are|can|will|would|could|did)(?:n't)?|right|okay|ok|you know|understand|see|got it|no|yes|huh",
    r"[^,]*[^, ], (?:\w+ )?",
    r"\b[^,]{0,40}\?$",
)


def is_refused(before: str, clause: str, after: str, question: bool) -> bool:
    """Whether the figure between the texts is turned down, or only a step between two figures."""
    if _RATHER.search(before) and not _HARMLESS.search(clause):
        return True
    if _DOUBTED.search(clause):
        return not _is_bad(after)
    if _STEP.search(before) or _negated(clause, question):
        return True
    if (question and not _TAG.match(after)) or _IF_ALONE.search(clause):
        return False
    if _is_bad(after) or (_IF_AGREED.match(clause) and _RUIN.match(after)):
        return True
    return _LOVE_TO.search(clause) is not None and " but " in after


def _is_bad(after: str) -> bool:
    return _BAD_AFTER.search(after) is not None and not _AFTER_ALL.search(after[:60])


def _negated(clause: str, question: bool) -> bool:
    if not _NEGATION.search(clause) or _IF.search(clause) or _HARMLESS.search(clause):
        return False
    return not _BOUND.search(clause) and not (question and _ASKED.search(clause))
