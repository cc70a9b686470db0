"""Which numbers without a unit are offers: `How about 45?`, `Make it 30.`, `45, final.`; never counts, ages, labels."""

import re

_FOLLOWS = re.compile(
    r"^(?:$|[.,!?;:)'\"]| ?-|\s?…| (?:and|or|but|if|is|it|for|as|from|works?|would|will|max\w*|minimum|at|so|please|instead|rather|now|today|final\w*|tops"
    r"|then|because|since|like|with|on|to|than|in|sharp|tonight|straight|flat|even|right|sounds|seems|may|might|could|can|by|not|no|that|when|unless|this"
    r"|which|too|either|though|exactly|total|firm|here|we|i|i'm|i'll|you|won't|doesn't|isn't|can't|just|before|after|again|away|was|more(?= ?(?:$|[.,!;]))|sound|feel|sir|ma'am|ok|okay|deal)\b)"
)
_LABEL = re.compile(
    r"\b(?:section|article|rule|ward|room|line|unit|floor|level|chapter|page|number|no\.?|nr|case|item|step|phase|stage|clause|paragraph|grade|score|zone"
    r"|sector|gate|block|bed|form|code|option|version|highway|exit|channel|frequency|age|aged|turn(?:ed|s|ing)?|extension|ext\.?|building|apartment|suite"
    r"|engine|station|tier|type|category|year|top|scale|part|figure|table|owe[sd]?|paid|costs?|worth|price|balance|fee|amount|loan|debt|only|of|the|these|those|all|both|last|first|next|every|gpa|rating|is|was|pain|out of)"
    r"(?: (?:is|of))?:? ?(?:only |just |about )?$"
)
_AGE = re.compile(
    r"\b(?:i am|i'm|he's|she's|(?:he|she|son|daughter|kids?|child|wife|husband|mother|father|mom|dad|baby|boy|girl|brother|sister|grand\w+) (?:is|are|was|just))"
    r" (?:only |just |already |almost |nearly )*$"
)
_CUE = re.compile(
    r"(?:\b(?:how about|what about|make (?:it|that|this)|call (?:it|that)|say|saying|do|doing|try|go(?:ing)?(?: along)? (?:to|with|for|up to|down to|as (?:low|high|far|late|early) as|no \w+ than)"
    r"|meet(?: you| me| us)?(?: halfway| in the middle)?(?: at| on)?|settl\w+ (?:at|on|for|with)|deal (?:at|on|for|of|is)|offer\w*(?: you| is)?|propos\w+(?: is)?|suggest\w*(?: is)?|counter\w*(?: with| at| is| offer is)?"
    r"|(?:i'm|we're|i am|we are|stay\w*|remain\w*|hold\w*|stick\w*|sit\w*|stand\w*|firm|stop\w*|land\w*|clos\w+|cap\w*|stuck|keep\w*|be|draw the line)(?: firm| steady| it)? (?:at|on|with|to)"
    r"|(?:down|up|over|drop|raise it|lower it|cut it|go|come) to|at (?:most|least)|(?:more|less|fewer|later|earlier|sooner|longer|other|better|lower|higher) than|under|over|below|above|beyond|between|past|before|until|till|by|around|about|roughly|approximately|exactly|maybe|perhaps"
    r"|(?:my|our) (?:\w+ ){1,3}(?:is|at|of|stays at|remains)|(?:can|could|will|would|i'll|we'll) (?:do|offer|give|go|get|manage|accept|take|promise|afford|stretch|wait)(?: \w+)? is|(?:my|our) (?:\w+ ){1,3}: ?|offer: ?|accept\w*|agree\w* (?:to|on|with)|tak(?:e|ing)|need|want|(?:ask|aim|push|shoot|hop|go|wish|look|wait|hold on|hang on|hold out|press|fight)\w* for|commit\w* to|shake(?: hands)? on|split (?:it |the difference )?at"
    r"|live with|got|told (?:you|them)|then|within|by day|net|it'?s|it is|that's|manage|handle|give (?:you|me|us|it)|get (?:to|it to)|(?:bring|push|move|extend|stretch|get|take|cut|shorten|bump|drop|lower|raise|trim)(?:ed)? (?:it|that|this|things|us|you) ?(?:all the way |down |up |back |out )*to|mov\w+ (?:up |down )?to|even|in|wait|afford|fine with|good with|ok(?:ay)? with|happy with|comfortable with|work with|yes to|shall we say|would"
    r"|or|not|but|your|done (?:at|by|in)|to|at|pick|choose|target\w*|survive|last|set|lock (?:it )?in(?: at)?|put (?:me|you|us|it) (?:down )?(?:for|at)|does|sign (?:at|for))|[,:] ?| - )\s*$"
)
_CUE_AFTER = re.compile(
    r"^(?: it is\b|,? ?-? ?final\b|,? works?\b|,? (?:is|'s) (?:my|our|the|as|fine|fair|ok|okay|good|doable|reasonable|all|what)\b| or nothing| max\b| tops\b| at most| would\b|,? (?:and|or) (?:we|you|i|it|not|that|this|no)\b"
    r"|,? take it\b|,? please|,? deal\b|,? no (?:more|less|later)| sounds\b| will do)"
)


def is_offered(before: str, after: str, alone: bool) -> bool:
    """Whether a bare number between these two texts stands for an offer; `alone`: nothing of weight comes before it."""
    if not _FOLLOWS.match(after) or _AGE.search(before):
        return False
    if alone:
        return True
    if _LABEL.search(before) and not re.search(r"\b(?:my|our) (?:\w+ ){1,3}is (?:only |just )?$|\b(?:it|that|do|offer|give|go|get|manage|accept|take|promise|afford) is $", before):
        return False
    return _CUE.search(before) is not None or _CUE_AFTER.search(after) is not None
