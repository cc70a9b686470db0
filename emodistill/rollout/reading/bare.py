"""Which numbers without a unit are offers: `How about 45?`, `Make it 30.`, `45, final.`; never counts, ages, labels.

A number is an offer if it stands by itself, so that no noun after it says what it counts, and no word before it names
another thing that is numbered.
"""

from emodistill.rollout.reading.wording import wording

_BY_ITSELF = wording(
    r"""
    $|[.,!?;:)'"]| ?-| ?[^\w\s#~¤%]
    \ (?:and|or|but|if|because|since|when|unless|as|than|though|so|that|which|this|not|no|too|either|instead|rather|\
        now)\b
    \ (?:for|from|with|within|anywhere|on|to(?! [#~])|in|at|by|over|under|like|before|after|between|here|then|again|\
        today|tonight|away|out)\b
    \ (?:i|i'm|i'll|i'd|we|we're|we'll|you|you're|you'll|it|is|are|was|be|will|would|could|can|may|might|should|must)\b
    \ (?:do|does|has|seems?|sounds?|feels?|looks?|works?|means|gives|lets|keeps|makes|leaves|gets|buys|saves|puts)\b
    \ (?:takes|strikes|suits?|fits|sits?|splits|settles|covers|honou?rs|respects|protects|ought|lets?|makes?|strikes?|\
        came|happens?|just|still|really)\b
    \ (?:max\w*|minimum|tops|flat|sharp|straight|even|right|total|firm|final\w*|exactly|please|sir|ma'am|ok|okay|deal)\b
    \ (?:fair|reasonable|possible|realistic|enough|doable|generous|approved|available|kills?|hurts|scares|ruins|my|\
        \w+n't)\b
    \ (?:more|left)(?= ?(?:$|[.,!;]|to\b))
""",
    "^",
)
_LABEL = wording(
    r"""
    section|article|rule|ward|room|line|unit|floor|level|chapter|page|number|nr|no\.?|case|item|step|phase|stage|clause
    paragraph|sector|gate|block|bed|form|code|option|version|highway|exit|channel|frequency|extension|ext\.?|building
    apartment|suite|engine|station|tier|type|category|year|top|part|figure|table|magnitude|scale (?:of|from)
    (?<!convinced )(?<!instead )(?<!chance )of|was an?|the|these|those|all|both|last|first|next|every
    (?<!make )(?<!call )(?<!say )(?:this|that)|which|any|each|has|are|we|day|minute
    (?:grade|score|zone|age|gpa|bmi|inr|asa|iq|rating|pain|pulse|pressure|temperature|fever|sugar|price|balance|\
        fee|amount|loan|debt)\
        (?:(?: \w+)? (?:is|was|of|at|says|reads))?:?
    (?:owe[sd]?|paid|costs?|worth|age|aged|turn(?:s|ed|ing)?|minus)
""",
    r"\b",
    r"[ -](?:[#~] )?(?:only |just |about )?$|\baged\b[^,;]*$",
)
_AGE = wording(
    r"""
    i am|i'm|what am i,|he's|she's|they're|they are
    (?:he|she|son|daughter|kids?|child|wife|husband|mother|father|mom|dad|baby|boy|girl|brother|sister|\
        grand\w+) (?:is|are|was|just)
""",
    r"\b",
    r"(?: (?:only|just|already|almost|nearly))* $",
)


def is_offered(before: str, after: str, alone: bool) -> bool:
    """Whether a bare number between these two texts stands for an offer; `alone`: nothing of weight comes before it."""
    if not _BY_ITSELF.match(after) or _AGE.search(before):
        return False
    return alone or not _LABEL.search(before)
