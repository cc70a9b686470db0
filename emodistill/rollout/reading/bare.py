"""Which numbers without a unit are offers: `How about 45?`, `Make it 30.`, `45, final.`; never counts, ages, labels."""

import re

from emodistill.rollout.reading.wording import wording

_FOLLOWS = wording(
    r"""
    $|[.,!?;:)'"]| ?-
    \ (?:and|or|but|if|is|it|for|as|from|works?|would|will|max\w*|minimum|be|than|over|at|so|please|instead|rather|now|\
        today|final\w*|tops)\b
    \ (?:sit|suit)\b
    \ (?:then|because|since|like|with|on|to|in|sharp|tonight|straight|flat|even|right|sounds?|seems|feel|may|might|\
        could|can|by|not|no)\b
    \ (?:that|when|unless|this|which|too|either|though|exactly|total|firm|here|we|i|i'm|i'll|you|won't|doesn't|\
        isn't|can't|just)\b
    \ (?:before|after|again|away|was|more(?= ?(?:$|[.,!;]|to\b))|left(?= ?(?:$|[.,!;]))|sir|ma'am|ok|okay|deal)\b
""",
    "^",
)
_LABEL = wording(
    r"""
    section|article|rule|ward|room|line|unit|floor|level|chapter|page|number|no\.?|nr|case|item|step|phase|stage
    clause|paragraph
    grade|score|zone|sector|gate|block|bed|form|code|option|version|highway|exit|channel|frequency|age|aged
    turn(?:ed|s|ing)?
    extension|ext\.?|building|apartment|suite|engine|station|tier|type|category|year|top|scale|part|figure|table|gpa
    rating|pain
    owe[sd]?|paid|costs?|worth|price|balance|fee|amount|loan|debt
    only|of|the|these|those|all|both|last|first|next|every|is|was|out of
""",
    r"\b",
    r"(?: (?:is|of))?:? ?(?:only |just |about )?$",
)
_BEST_IS = wording(
    r"""
    (?:what|all|most|best|least|earliest|latest|soonest|fastest) (?:that )?(?:i|we)\b[^,;]{0,40}
    (?:my|our)(?: \w+){1,3}|it|that|mine
    the (?:\w+ )?(?:window|deadline|limit|offer|figure|answer|cap|ceiling|wait|estimate|eta|target|plan)
    the (?:earliest|latest|best|max\w*)
    (?:do|offer|give|go|get|manage|accept|take|promise|afford|stretch|wait)(?: \w+)?
""",
    r"\b",
    " is (?:only |just )?$",
)
_AGE = wording(
    r"""
    i am|i'm|he's|she's
    (?:he|she|son|daughter|kids?|child|wife|husband|mother|father|mom|dad|baby|boy|girl|brother|sister|\
        grand\w+) (?:is|are|was|just)
""",
    r"\b",
    r"(?: (?:only|just|already|almost|nearly))* $",
)
_CUE = wording(
    r"""
    how about|what about|make (?:it|that|this)|call (?:it|that)|says?|saying|do|does|doing|try|then|even|or|not|but|net
    would|by day|shall we say
    go(?:ing)?(?: along)? (?:to|with|for|up to|down to|as (?:low|high|far|late|early) as|no \w+ than)
    meet(?: you| me| us)?(?: halfway| in the middle)?(?: at| on)?|settl\w+ (?:at|on|for|with)|deal (?:at|on|for|of|is)
    offer\w*(?: you| is)?|propos\w+(?: is)?|suggest\w*(?: is)?|counter\w*(?: with| at| is| offer is)?
    agree\w* (?:to|on|with)|yes to
    (?:i'm|we're|i am|we are|stay\w*|remain\w*|hold\w*|stick\w*|sit\w*|stand\w*|firm|stop\w*|land\w*|clos\w+|cap\w*|\
        stuck|keep\w*|be)(?: firm| steady)? (?:at|on|with|to)
    (?:down|up|over|drop|raise it|lower it|cut it|go|come|mov\w+) to|at (?:the )?(?:very )?(?:most|least)
    at (?:the )?(?:very )?(?:worst|best|latest|earliest|outside)|between|within|in|to|at|until
    till|by|around|about
    (?:more|less|fewer|later|longer|earlier|sooner|other|better|lower|higher) than|under|over|below|above|beyond|past
    before
    roughly|approximately|exactly|maybe|perhaps|your|it'?s|it is|that's|offer:
    (?:my|our) (?:\w+ ){1,3}(?:is|at|of|stays at|remains|:)
    (?:do|offer|give|go|get|manage|accept|take|promise|afford|stretch|wait)(?: \w+)? is|set|pick|choose|target\w*
    survive|last
    accept\w*|tak(?:e|ing)|need|want|got|told (?:you|them)|manage|handle|afford|wait|give (?:you|me|us|it)
    get (?:to|it to)
    (?:ask|aim|push|shoot|hop|go|wish|look|wait|hold on|hang on|hold out|press|fight)\w* for|commit\w* to
    shake(?: hands)? on
    split (?:it |the difference )?at|(?:live|work|fine|good|ok(?:ay)?|happy|comfortable) with|done (?:at|by|in)
    sign (?:at|for)|(?:count|figure|bank|plan|reckon)(?:ing)? on|(?:more|something) like|try(?:ing)? for
    (?:bring|push|move|extend|stretch|get|take|cut|shorten|bump|drop|lower|raise|trim)(?:ed)? (?:it|that|this|\
        things|us|you) ?(?:all the way |down |up |back |out )*to
    lock (?:it )?in(?: at)?|put (?:me|you|us|it) (?:down )?(?:for|at)|draw the line at|plan for
""",
    r"(?:\b",
    r"|[,:] ?| - )\s*$",
)
_OWN_CLAUSE = re.compile(  # I have …, get me in under …
    r"\b(?:i|we|me|us|let's|could|can|would|how)\b[^;:.]{0,60}$"
)
_COUNTED = re.compile(r"\b(?:the|that|which|day|minute)[ -](?:[#~] ?)?$|#[^,;:]*$|\baged\b[^,;]*$")  # the 65-minute one
_SERIES = re.compile(  # 60 minutes, then 50; but not the 65-minute one
    r"#.*(?:[,;:]|\b(?:to|at|for|by|in|with|then|now|or|not|even|is|about|maybe|perhaps|just)) ?$"
)
_CLAUSE_ENDS = re.compile(r"^ ?(?:$|[.,!?;]|- )")
_CUE_AFTER = wording(
    r"""
    \ it is\b|,? ?-? ?final\b|,? works?\b
    ,? (?:is|'s) (?:my|our|the|as|fine|fair|ok|okay|good|doable|reasonable|all|what|where)\b
    \ or nothing|\ max\b|\ tops\b|\ at most|\ would\b|,? (?:and|or) (?:we|you|i|it|not|that|this|no)\b
    ,? take it\b|,? please|,? deal\b|,? no (?:more|less|later)|\ sounds\b|\ will do
""",
    "^",
)


def is_offered(before: str, after: str, alone: bool) -> bool:
    """Whether a bare number between these two texts stands for an offer; `alone`: nothing of weight comes before it."""
    if not _FOLLOWS.match(after) or _AGE.search(before):
        return False
    if alone:
        return True
    if _BEST_IS.search(before):
        return True
    if _LABEL.search(before):
        return False
    if _CLAUSE_ENDS.match(after) and _SERIES.search(before):
        return True
    if _OWN_CLAUSE.search(before) and not _COUNTED.search(before):
        return True
    return _CUE.search(before) is not None or _CUE_AFTER.search(after) is not None
