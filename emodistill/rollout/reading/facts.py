"""Figures that tell of the world: arrears, ages, time already spent, events, and lengths of other things."""

import re

from emodistill.rollout.reading.wording import group, wording

_NEARLY = r"(?:about |like |over |nearly |almost |more than |exactly |around |just |roughly |only |another )*"
_SPENT = group(r"""
    waited|counted|gone(?! (?:to|up|down|from|with))|suffered|lived|spent|lost|owed|endured|survived|slept|stayed
    worked|passed(?: out)?|elapsed|trapped|stuck
    buried|pinned
    took|lasted|tried|missed|fainted|bled|sat|lain|lay|heard|felt|woke|turned|had (?:this|the|it|my|these)
    (?:held|hung) (?:on|out)|(?:'ve|have|had) put up with
""")
_BEFORE = wording(rf"""
    \b(?:overdue|past due|delinquent|in arrears|outstanding|unpaid|late|behind)(?: \w+)?(?: for| by|:)? {_NEARLY}$
    (?:'ve|'s|'d| have| has| had|\bhaving)(?: \w+)?? been (?!approved|authori|able|cleared|given|allowed|granted|\
        scheduled|booked|moved|set|asked|offered)[^,;]{{0,50}}$
    \b{_SPENT}(?: [\w¤#~]+){{0,5}}(?: in| for| after| about| almost| nearly| over| more than| the last| the past)* $
    (?:^|[,;] )(?:and |but )?been {_NEARLY}$|\b(?:times|twice|once) (?:in|over|within) {_NEARLY}$
    \b(?:once|twice|times) (?:¤|#|a day|daily) for {_NEARLY}$
    \b(?:is|are|'re) open [^,;]*$|\bwarned (?:me|us|you|him|her|them)\b[^;]*$
    \bthe (?:first|last|past|previous) $|\byou(?:'ve| have)? had (?:\w+ )?$
    \bdid (?:it|you|they|he|she) (?:\w+ )?(?:take|wait|need) {_NEARLY}$
    \bit's always $|\bwas due (?:in |for )?$|\b(?:original|old|initial|previous) \w+ (?:was|were) $
    \b(?:the other|another|my) \w+ (?:got|had|went|waited|paid|received)\b[^,;]*$
    \b(?:since|every|each|per|it's been|ago|once every|once in) $
    (?<!\bnot )\b(?:is|are|am|'s|'re|'m|now|already|gone|went|currently|at) (?:already |now |well |over |almost |\
        nearly )*(?:past|over|beyond) $
    ^(?:it'?s |it is |we're |this is )?(?:already|now) (?:over |past |almost |nearly |more than )*$
    \b(?:lasts|age[ds]?|turn(?:s|ed|ing)|(?:history|backlog|shifts?|supply|average) of|average\b[^,;]{{0,30}} \
        is) {_NEARLY}$
    \bback (?:on (?:my|your|his|her|their) feet|at work|to (?:work|normal)) (?:in|within|after) {_NEARLY}$
    \b(?:home|discharged|released|recover\w*|heal\w*)(?: fully)? (?:in|after|within) {_NEARLY}$
    \b(?:stay|recovery|drive|commute|shift|class|exam|course|session|trip|rehab)\b[^,;]{{0,30}} (?:is|was|takes?|\
        lasts?|would be)(?: \w+ly)? {_NEARLY}$
    \b(?:physio\w*|therapy|rehab\w*|medication|painkillers|antibiotics|crutches|monitoring)(?: \w+)? (?:for|in|\
        after) {_NEARLY}$
    (?:'ve|\bhave|\bhas) had\b[^,;:]*$|\bhad to (?:wait|pay|hold|stay)\b[^,;]*$
    \b(?:was|were|been) (?:\w+ )?(?:delayed|held up|late|postponed|down|out|gone|off|silent|unreachable|dead)\b[^,;]*$
    \b(?:most|many|other|some|all) (?:of (?:our|my|the) )?(?:people|clients|customers|debtors|patients|folks|families|\
        survivors|others|accounts|cases)\b[^,;]*$
    \b(?:slips?|goes|runs|drags|stretches) past $
    \bit(?:'s| has)? (?:feels|felt|seems|seemed|been) like {_NEARLY}$
    \b(?:cut|raised|reduced|doubled|halved) (?:my|our|his|her|their) (?:hours|shifts?|pay|wages?|salary|\
        staff|rent)\b[^;]*$
    \b(?:(?<!\bbe )seen|watched|heard of|known)\b[^,;]*$|\bcount(?:ed|ing)? (?:up )?to $
    \b(?:valid|effective|in force) (?:for|until) {_NEARLY}$
    \b(?:dead|die|dying|drown\w*|homeless|bankrupt|gone) (?:in|within|after) {_NEARLY}$
    \b(?:on (?:leave|vacation|holiday|a trip)|away|closed|abroad|unavailable|out of town) (?:for|\
        until) (?:the next )?{_NEARLY}$
    ^\W*(?:after|following|once) (?:the|your|my) (?:surgery|operation|procedure)\b[^;]*$
    \b(?:usual|normal|typical)\w*(?: \w+)? (?:wait\w*|takes?)(?: is)? {_NEARLY}$
""")
_AFTER = wording(
    r"""
    (?:'s?)?[ -](?:ended|expired|lapsed|ran out|overdue|late(?! fee)\b|\
        past[- ]due|ago|behind|old\b|in arrears|delinquent|in a row|past the|\
        into\b|since|outstanding|unpaid)
    \ (?:ha(?:ve|s) (?:already )?(?:passed|gone)|passed|went by|later (?:i|we|they|you|he|she|nothing|the)|\
        before (?:the|my|your|he|she|they|our) (?!(?:\w+ )?(?:bed|deadline|turn|surgery|operation|procedure|slot|team|\
        rescue|we|money)\b)|after (?:they|he|she|i (?!get\b|am\b|receive\b|sign\b)|\
        (?:the |your |my )?(?:surgery|operation|procedure))\b)
    \ (?:afterwards?|in it)\b|\ last time\b|(?: \w+){0,2} already ?(?:$|[.,!?;])
    \ of (?!(?:your|my|this|that|it|the|grace|patience|time|wait\w*|flexibility|leeway|breathing|courage|trust|hope|\
        strength|\
        holding|extra|extension|fight|warning|mercy)\b)\w+|\ of (?:my life|being)\b
    \ to (?:get (?:there|to school|ready|dressed|home)|file|appeal|fall asleep|respond|walk|drive|recover|heal|school|\
        campus|class)
    \ (?:drive|walk|commute|ride|apart|per|each|every|on hold|extra|off)\b(?! at)
    \ (?:¤(?= ?(?:$|[.,!?;]))|a (?:day|night|week|shift)\b)
    \ away from (?:school|campus|here|home|you|the hospital)|\ back (?:in|when|then)\b|\ earlier today
    \ left (?:on|until|before)
    \ without (?:\w+ing the|food|water|sleep|light|air|pay\w*|work|income|a (?:job|paycheck|break))
    \ in (?:the )?(?:hospital|recovery|intensive|jail|school|bed\b)
""",
    "^",
)
_OF_LENGTH = wording(  # a 45-minute drive
    r"""
    fee|shift|drive|walk|break|nap|notice|vacation|stay|recovery|commute|course|class|exam|session|trip|ride|supply
    rehab|workout|history|hearing|meeting|show|movie|flight|procedure|infusion|scan|pause|backlog|contract|trial|warranty
""",
    r"^'?[ -](?:(?!to )\w+ )?",
    r"\b",
)
_BARGAINED = group(r"""
    i|we|us|can|could|must|should|has to|have to|need\w*|team|crew|rescue\w*|help|pay(?!che|day)\w*|repay\w*|money
    balance|surgery|operat\w+|slot|appointment|opening|next block|beds?|cancellation|room|space|spot|wait|window
    deadline|limit|extraction|squad|engineers?|drill|dig|plan|offer\w*|proposal|request|estimate|eta|answer|truth|number
    figure|earliest|latest|recommend\w*|suggest\w*|promise
    best|fastest|soonest|most|least|date|timeline|target|compromise|max\w*|settle\w*|full|total
    whole|next available|theatre|debt|account|policy|company|schedul\w+|free|rest|remain\w+|half|final|terms?|extension
    arrangement|solution|middle|thing|one|deal|agreement|hop\w+|ask\w*|way|line|goal|idea|word|vote|call|gut|heart
    you(?:'ll|'d|'re)|you (?:will|can|could|should|out)
    (?:reach\w*|with|gets?|have|has|bring|see|pull|free|lift|to|gives?|for|fit|lets?|allows?|leaves?|costs?|wants?|\
        tells?) (?:you|me)
""")
_THEIR_OWN = re.compile(rf"^(?!.*\b{_BARGAINED}\b).*\w.*(?:'s|\b(?:is|are|has)) (?:maybe |only )?{_NEARLY}$")
_EVENT = re.compile(  # my daughter graduates in …, a helicopter lands in …, most patients are walking after …
    r"(?:^\W*(?:(?:but|so|since|because|while|when|as) )?|\band )"
    r"(?:my|an?|the|his|her|their|some|another|everyone|everybody|most \w+|dr|mr|ms|mrs"
    r"|[a-z]{3,}(?= (?:comes|arrives|hits|ends|starts|begins|expires|opens|closes|leaves|returns)\b)"
    r"|(?!this|thanks|does|perhaps|was|has|is|as|yes|always|unless)\w+s)\b"
    rf"(?!.*\b{_BARGAINED}\b)(?: [\w']+){{0,7}} (?:in|within|after|for|until|by|every|around|takes?|lasts?) {_NEARLY}$"
)


def is_fact(before: str, head: str, after: str) -> bool:
    """Whether the figure between the texts is a fact; `head` is the clause's part before it."""
    if _AFTER.search(after) or _BEFORE.search(before) or _OF_LENGTH.search(after):
        return True
    if after.startswith((" away", " left")):  # my wedding is … away, the battery has … left
        return _THEIR_OWN.match(head) is not None
    return _EVENT.search(head) is not None
