"""Figures that tell of the world: arrears, ages, time already spent, events, and lengths of other things."""

import re

from emodistill.rollout.reading.wording import group, wording

_NEARLY = r"(?:about |like |over |nearly |almost |more than |exactly |around |just |roughly |only |another )*"
_SPENT = group(r"""
    waited|suffered|lived|spent|lost|owed|endured|survived|slept|stayed|worked|passed(?: out)?|elapsed|trapped|stuck
    buried|pinned
    took|lasted|tried|missed|fainted|bled|sat|lain|lay|heard|felt|woke|turned|had (?:this|the|it|my|these)
    (?:held|hung) (?:on|out)|(?:'ve|have|had) put up with
""")
_BEFORE = wording(rf"""
    \b(?:overdue|past due|delinquent|in arrears|outstanding|unpaid|late|behind)(?: \w+)?(?: for| by|:)? {_NEARLY}$
    (?:'ve|'s|'d| have| has| had|\bhaving)(?: \w+)?? been (?!approved|authori|able|cleared|given|allowed|granted|\
        scheduled|booked|moved|set|asked|offered)[^,;]{{0,50}}$
    \b{_SPENT}(?: [\w¤#~]+){{0,5}}(?: in| for| after| about| almost| nearly| over| more than| the last| the past)* $
    (?:^|[,;] )(?:and |but )?been {_NEARLY}$|\btimes (?:in|over|within) {_NEARLY}$
    \bwarned (?:me|us|you|him|her|them)\b[^;]*$
    \b(?:for|in|over|during|within) the (?:last|past|previous) $
    \b(?:since|every|each|per|it's been|ago|once every|once in) $
    (?<!\bnot )\b(?:is|are|am|'s|'re|'m|now|already|gone|going|went|currently|at) (?:already |now |well |over |almost |\
        nearly )*(?:past|over|beyond) $
    ^(?:it'?s |it is |we're |this is )?(?:already|now) (?:over |past |almost |nearly |more than )*$
    \b(?:lasts|age[ds]?|turn(?:s|ed|ing)|(?:history|backlog|shifts?|supply|average) of|average\b[^,;]{{0,30}} \
        is) {_NEARLY}$
    \b(?:home|discharged|released|recover\w*|heal\w*)(?: fully)? (?:in|after|within) {_NEARLY}$
    \b(?:stay|recovery|drive|commute|shift|class|exam|course|session|trip|rehab) (?:is|was|takes|lasts|\
        would be) {_NEARLY}$
    \b(?:usual|normal|typical)\w*(?: \w+)? (?:wait\w*|takes?)(?: is)? {_NEARLY}$
""")
_AFTER = wording(
    r"""
    (?:'s?)?[ -](?:ended|expired|lapsed|ran out|overdue|late(?! fee)\b|\
        past[- ]due|ago|behind|old\b|in arrears|delinquent|in a row|past the|\
        into\b|since|outstanding|unpaid)
    \ (?:ha(?:ve|s) (?:already )?(?:passed|gone)|passed|went by|later (?:i|we|they|you|he|she|nothing|the)|\
        before (?:the|my|your|he|she|they|our) (?!bed|deadline))
    \ of (?:being )?(?:sleep|rest|class\w*|work|homework|study\w*|practice|oxygen|air|food|water|battery|power|\
        light|daylight|history|experience|pain|suffering|silence|driving|rehab\w*|recovery|physical|interest|overtime|\
        training|gaming|notice|vacation|lectures?|being|arrears|my life)
    \ to (?:get (?:there|to school|ready|dressed|home)|fall asleep|respond|walk|drive|recover|heal|school|campus|class)
    \ (?:drive|walk|commute|ride|apart|per|each|every|on hold|extra|off)\b(?! at)|\ a (?:day|night|week|shift)\b
    \ away from (?:school|campus|here|home|you|the hospital)|\ back (?:in|when|then)\b|\ earlier today
    \ left (?:on|until|before)
    \ without (?:food|water|sleep|light|air|pay\w*|work|income|a (?:job|paycheck|break))
    \ in (?:the )?(?:hospital|recovery|intensive|jail|school|bed\b)
""",
    "^",
)
_OFFERED_LENGTH = (
    r"(?:plan|window|term|deadline|extension|period|wait|time|offer|(?:re)?payment|grace|final|firm|maximum)"
)
_NEW_PHRASE = (
    "(?:to|if|i|we|you|and|but|so|or|because|before|until|till|when|while|as|since|is|from|at|by|on|this|with)"
)
_OTHER_LENGTH = wording(
    """
    fee|shift|drive|walk|break|nap|notice|vacation|stay|recovery|nights?|commute|course|program|class|exam|essay
    project|training
    trip|ride|check|exercise|session|meditation|video|game|movie|episode|warranty|contract|ban|trial|supply|battery
    prescription
    history|backlog|audit|hearing|shower|routine|jog|flight|procedure|infusion|rehab|hospitali[sz]ation|study|test
    lecture|workout
    podcast|scan|sleep|rest|pause|alarm|snooze|veteran|customer|delinquency
""",
    rf"^[ -](?!{_OFFERED_LENGTH}\b)(?:(?!{_NEW_PHRASE} )\w+ ){{0,2}}",
    r"\b",
)
_HAPPENS = wording(
    r"""
    arriv\w+|expir\w+|runs? out|end(?:s|ing)|start(?:s|ing)|begin(?:s|ning)|peaks?|reced\w+|lasts|due|returns?|dries
    gives out|dies
    depart\w*|lands?|opens|closes|clears|posts|sets? in|collaps\w+|floods?|drop(?:s|ping)
    comes?(?: back| in| due| through| off| around)?
    reach(?:es)?|pass(?:es)?|falls?|hits?|gets? (?:here|there|back)|kicks? in|happens|gets|goes|wears? off|takes?|is|are
    (?:is|are) (?:in|on|scheduled)|(?:will|'ll|should) be (?:there|here|with you|over|back|delivered|released)
""",
    r"\b",
    rf"\b(?: \w+){{0,3}} (?:in|within|after|every|at|for|by)? ?{_NEARLY}$",
)
_BARGAINED = group(r"""
    i|we|you|us|me|your|our|can|could|team|crew|rescue\w*|help|pay\w*|repay\w*|money|balance|surgery|operat\w+|slot
    appointment|opening|beds?
    procedure|cancellation|room|space|spot|wait|window|deadline|limit|extraction|squad|engineers?|drill|dig|plan
    offer\w*|proposal|request|estimate|eta|answer
    number|figure|earliest|latest|best|fastest|soonest|most|least|date|timeline|bedtime|lights|screens?|phones?|target
    compromise
    max\w*|settle\w*|full|total|whole|next|available|theatre|board|debt|account|bank|policy|company|law|hospital
    clinic|able|schedul\w+
    free|rest|remain\w+|half|final|terms?|extension|arrangement|solution|middle|only|thing|one|deal|agreement
    eviction
""")
_THING = group(r"""
    drones?|fires?|flames|water|smoke|floods?|tides?|storm|battery|oxygen|tank|supplies|supply|medicine|medication
    aftershocks?|wave
    pay ?che(?:ck|que)s?|paydays?|salary|refund|loan|grant|tax\w*|results?|recovery|hearing|court|trial|rent|mortgage
    lease|license
    contract|bus|train|flight|lecture|semester|school|tests?|scan|mri|biopsy|blood|audit|bonus|commission|invoices?
    radio|phone
    generator|dehydration|hypothermia|rain|snow|sun|shift|baby|wedding|birthday|vacation|trip|game|show|movie
    painkillers?|anesthe\w+
    antibiotics?|insurance|paperwork|approval|bank|lab|helicopter|chopper|ambulance|(?:para)?medics?|dog|food|heater
    airdrop|fever
    warranty|interest|late fee|inspection|news|deposit|transfer|client|customers?|daughter|son|wife|husband|mother
    father
    surgeon (?:is|returns?|gets)|lamp|flashlight|fuel|building|roof|ceiling|tunnel|air|shelter|volunteers?|pump
    next (?:meeting|bus|train|shift|check|scan|appointment|pay\w*|round|delivery|drop|wave)
""")
_THINGS = re.compile(rf"\b{_THING}\b")
_OF_THINGS = re.compile(  # a medical drone will drop …, my phone battery will be …
    r"^\W*(?:(?:and|but|so|since|because|while|when|as) )?(?:my|an?|the|his|her|their|some|another) "
    rf"(?:\w+ )?{_THING}(?: \w+)? will (?!.*\b(?:reach|lift|pull|extract|free|evacuate|carry) you\b)"
    rf"[^,;]*\b(?:in|within|after|by|at) {_NEARLY}$"
)

_SOMEBODY = re.compile(  # my daughter graduates in …, the course starts after …
    r"^\W*(?:(?:and|but|so|since|because|while|when|as) )?"
    r"(?:my|an?|the|his|her|their|some|another|everyone|everybody|dr|mr|ms|mrs)\b"
    rf"(?!.*\b{_BARGAINED}\b)(?: \w+){{1,4}}? (?:\w+s|will \w+)(?: \w+){{0,3}}?"
    rf" (?:in|for|at|until|within|after|by|every|around) {_NEARLY}$"
)


def is_fact(before: str, head: str, after: str) -> bool:
    """Whether the figure between the texts is a fact; `head` is the clause's part before it."""
    if _AFTER.search(after) or _BEFORE.search(before) or _OTHER_LENGTH.search(after):
        return True
    if _SOMEBODY.search(head) or _OF_THINGS.search(head):
        return True
    return _THINGS.search(head) is not None and _HAPPENS.search(head) is not None
