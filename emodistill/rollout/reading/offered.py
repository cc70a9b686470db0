"""Which figure of a sentence its speaker puts forward, from the wording around it.

Each figure is rejected (the other side's, negated, a fact) or gets a strength: FORMER ("I started at 60"), PLAIN, or
FIRM (the speaker's own, or a sentence that says little else). The last of the strongest is the offer.
"""

import re

from emodistill.domains.quantities import Clock, Quantity
from emodistill.rollout.reading.bare import is_offered
from emodistill.rollout.reading.bedtime import is_other_time
from emodistill.rollout.reading.figures import Figure

NONE, FORMER, PLAIN, FIRM = range(4)

_CLAUSE = re.compile(
    r"(?<=[,;()])(?=\s)|\s-\s|\s(?=(?:but|so|because|since|while|although|though|whereas|however|yet|then|unless|if|when|plus"
    r"|before (?:i|we|you|the|my)|or (?:i|we|else)|until (?:i|we|you|the|my)|which|where|and (?:i|we|you|it|that|this|let|my|our|your|please|then|now|so|the|can|could|will|would"
    r"|am|have|be|need|want|meet|settle|call|say|make|he|she|they|there|don't|not|then|go|in return|for that))\b)"
)

_ADVERBS = (
    r"(?: (?:have|had|just|already|keep|kept|are|were|was|originally|first|still|also|now|only|clearly|all|really|obviously"
    r"|initially|previously|yourself|always|once|even|did|do|might|may|again|so|then|both))*"
)
_SAYING = (
    r"(?:say|said|saying|ask(?:ed|ing)?|want(?:ed|ing)?|wish(?:ed)?|propos(?:e|ed|ing)|offer(?:ed|ing)?|quot(?:e|ed|ing)|told"
    r"|tell|suggest(?:ed|ing)?|mention(?:ed|ing)?|demand(?:ed|ing)?|insist(?:ed|ing)?|request(?:ed|ing)?|repeat(?:ed|ing)?"
    r"|need(?:ed|ing)?(?! to\b)|claim(?:ed|ing)?|expect(?:ed|ing)?|nam(?:e|ed|ing)|counter(?:ed|ing)?|started|came|gave|promis(?:ed|ing)"
    r"|stuck|prefer(?:red)?|agreed|put|brought up|threw|have in mind|had in mind|went|jumped|hoped|floated|pushed|pushing|cited)"
)
_PROPOSAL = (
    r"(?:offer|proposal|request|demand|figure|number|ask|suggestion|idea|estimate|counter-?(?: ?offer| ?proposal)?|quote|position"
    r"|preference|wish|target|bid|opening)"
)
_SOFT = r"(?:about |around |just |only |those |these |that |another |full |the |some |for |at |of )*"
_YOURS = re.compile(
    rf"\byour (?:\w+ ){{0,2}}?(?:\w+ (?:of|for) )?{_SOFT}$"
    rf"|\byour (?:\w+ ){{0,2}}?{_PROPOSAL}(?: here)?(?: (?:is|was|were|stands|stood|to|at|that i|that we)\b[^,;]{{0,24}}?|: ) ?$"
    rf"|(?<!if )(?<!can )(?<!could )(?<!would )(?<!will )(?<!won't )(?<!couldn't )(?<!why don't )(?<!should )(?<!what do )(?<!how do )"
    rf"\byou(?:'ve|'re|'d| guys| people)?{_ADVERBS} {_SAYING}\b[^,;]{{0,50}}$"
    rf"|(?<!if )\byou(?:'re| are| were|'ve been){_ADVERBS} (?:at|on|stuck|firm)\b[^,;]{{0,12}}$"
    rf"|\b(?:they|he|she|(?:the )?other \w+)(?: \w+)? (?:said|told|quoted|offered|promised|wants?|wanted|says?|asked)\b[^,;]{{0,40}}$"
)
_YOURS_BARE = re.compile(r"\byour (?:\w+ )?(?:surgery|operation|payment|rescue|bedtime|slot|appointment|procedure|wait\w*|extension|balance|time) (?:for|to|at|in) $")
_YOURS_AFTER = re.compile(
    rf"^(?:,? (?:as|like|which|the \w+|that|is what|was what|(?:is|was) the \w+(?: that)?)| (?:figure|number|offer|proposal|plan|deadline|request)(?: that)?|)"
    rf" you(?:'ve|'re|'d)?{_ADVERBS} {_SAYING}\b"
    r"|^,? (?:is|was) your\b|^,? as (?:proposed|requested|suggested)\b"
)
_TAKES = (
    r"(?:accept(?:ed|ing)?|tak(?:e|ing)|agree(?:d)? (?:to|on|with|upon)|live with|fine with|ok(?:ay)? with|good with|happy with"
    r"|comfortable with|go (?:along )?with|work with|deal (?:at|on|for|with)|settle (?:for|on|at)|match|meet|honou?r|grant"
    r"|yes to|approve|manage|do|handle|sign(?: for| off on| up for)?|commit to|respect|stick to|shake on|agreeable to|on board with|content with"
    r"|satisfied with|confirm|wait|hold on|hang on|last|endure)"
)
_TAKEN_BEFORE = re.compile(rf"\b{_TAKES}(?: for)? (?:your|the|those|that|these)(?: \w+){{0,4}}? ?$")
_TAKEN_AFTER = re.compile(
    r"^,?(?: \w+)?(?: (?:will|is|are|do|does|sounds?|would be|it|then|seems?))*(?: (?:just|perfectly|absolutely|totally|quite|all))?"
    r" (?:works?|is|fine|acceptable|ok|okay|good|great|agreed|accepted|fair(?! to)|reasonable|doable|perfect|agreeable|do)\b(?! (?:too|not|no|far|more|less|impossible))"
)

_NEGATION = re.compile(
    r"\b(?:not|cannot|never|neither|nor|unable|impossible|nobody|none|nothing|refus\w+|reject\w*|declin\w+|hardly|no (?:way|chance|one)|without"
    r"|forget(?: about)?|(?:how|who) (?:can|could|would|am|are) (?:i|anyone|anybody|you)|who (?:can|could)|stop (?:asking|saying|talking|pushing)"
    r"|too (?:long|late|early|soon|much) (?:to|for)|isn't|ain't|no)\b|n't\b"
)
_NOT_REALLY = re.compile(
    r"\bno (?:problems?|objections?|issues?|choice|doubt|later|more|less|longer|sooner|earlier|fewer|further)\b|\bnot (?:only|just|a problem|opposed|against|unreasonable|unwilling|be unhappy)\b"
    r"|\b(?:don't|do not|wouldn't|won't|would not|will not) (?:mind|object|oppose|complain|fight you|argue)\b|\bwhy not\b|\bwhy (?:don't|can't|not)\b"
    r"|\bcannot (?:emphasi|stress|thank)\w*|\bnot sure but\b|\bno ?,"
)
_QUESTIONED = re.compile(r"\b(?:can't|couldn't|won't|wouldn't|isn't|shouldn't|don't|didn't|aren't|cannot) (?:we|you|it|that|there|#|~|i\b)")
_BOUND = re.compile(
    r"\b(?:(?:more|less|fewer|later|longer|earlier|sooner|lower|higher|further|farther|faster|quicker|better|shorter|other|worse|greater|past) than"
    r"|over|under|above|below|beyond|past|before|after|until|till|exceed(?:ing)?|(?:short|shy|north|south) of|anything but|nothing but|except"
    r"|(?:budge|mov\w+|shift\w*|deviat\w+|back(?:ing)? (?:down|away|off)|retreat\w*|waver\w*|stray\w*|step\w*|com\w+ off|com\w+ down|go\w*)(?: any further| away| down| back| up)? (?:from|off|off of)|any (?:lower|higher|further) than)"
    r" (?:about |around |the |those |that |a |my |our |day |minute |at least |at most )*$"
)
_OUTLASTS = re.compile(r"\b(?:wait\w*|hold\w*|stay\w*|last|surviv\w+|hang\w*|sit|keep\w*|endure|be(?:ing)? up)\b[^,;]{0,16}(?:until|till) $")
_INSTEAD = re.compile(
    r"\b(?:instead of|rather than|than(?= (?:at|in|by) $)|as opposed to|compared (?:to|with)|versus|vs|in place of|never mind|forget(?: about)?|let alone|much less"
    r"|not|nor) (?:(?:in|at|for|after|within|wait|waiting|do|doing|by|on|a|the|your|those|another|about|even|paying|going) )*$"
)
_CONDITIONAL = re.compile(r"^ ?(?:,? ?and )?(?:if|unless)\b")

_BE = r"(?:is|are|was|would be|will be|'s|seems?|feels?|sounds?|looks?|might be|may be|'d be|remains?)"
_BAD = (
    r"(?:too|impossible|unacceptable|unrealistic|unreasonable|ridiculous|absurd|insane|crazy|madness|unthinkable|insufficient"
    r"|unworkable|off the table|nonsense|no good|out of (?:the question|reach)|far|way|more than (?:i|we|my|our|anyone)|less than (?:i|we) (?:need|can)|asking|inhuman\w*|cruel|hopeless|unfair|unbearable|excessive"
    r"|laughable|outrageous|unsafe|dangerous|reckless|irresponsible|unheard|beyond|wishful|nowhere|not|never|hardly|no (?:way|option|use|solution|joke)|a(?:n)? (?:\w+ )?(?:joke|death sentence"
    r"|non-?starter|insult|slap|nightmare|deal-?breaker|fantasy|eternity|lifetime|long time|very long|lot|big ask|no-go|slap in the face|pipe dream|problem|torture)"
    r"|torture|suicide|simply (?:too|not)|just (?:too|not)|much too|still (?:too|not)|over my limit|unrealistic|a no|dead|hard to (?:swallow|accept)|untenable|intolerable|off limits|off the cards|inadequate)"
)
_FINE_AFTER_ALL = re.compile(
    r"\bnot (?:negotiable|up for|too much to ask|unreasonable|impossible|a lot|much|that (?:long|bad|much|late)|so (?:long|bad|much|late)|unfair|forever|a suggestion|a problem|bad|too bad|going to change)"
    r"|\bn't (?:negotiable|too much to ask|unreasonable|impossible|a lot|much|that (?:long|bad|late)|so (?:long|bad|late)|unfair|forever|a problem|bad|too bad)"
    r"|\bno (?:problem|trouble)|\bnot (?:a )?(?:day|minute|hour|week|second|one|later|longer|more|sooner|earlier)"
)
_BAD_AFTER = re.compile(
    rf"^(?: or (?:more|longer|later))?(?: (?:of|for|in|at|to|from|as)(?: \w+){{1,3}})?(?: (?:of )?(?:waiting|bedtime|wait|more|here|alone|anyway))?"
    rf"(?:,? (?:that|it|this))?(?: ?{_BE}| just| simply| really| still| honestly| frankly)+ {_BAD}\b"
    rf"|^(?: or (?:more|longer))?(?: (?:that|it|just|simply|really|still|waiting|of waiting|bedtime|down here|in here|of this))*"
    r" (?:won't|will not|can't|cannot|can not|doesn't|does not|don't|isn't|is not|wouldn't|would not|aren't|ain't|do not|is never|will never|would never|never|makes no|leaves me|leaves us|gives me no|gets us nowhere)\b"
    r"|^(?: (?:that|it|just|simply|really|in here|down here|more|of waiting))* (?:(?:will|would|could|might|may|'d|'ll) )(?:\w+ )?(?:kill|ruin|bankrupt|leave|destroy|cost|break|be my death|finish|be too|be far|be impossible|hurt|sink|mean|put me|be the (?:death|end)|never|be a (?:disaster|nightmare|death sentence|catastrophe)|wreck|crush|drown|be unacceptable|be unbearable)\b"
    r"|^[,:]? ?-?-? ?(?:impossible|no way|not possible|too (?:long|late|early|soon|short|much)|out of the question|never|forget it|not happening|unacceptable|are you (?:kidding|serious|joking|crazy|insane))\b"
    r"|^ (?:kills?|ruins|bankrupts|destroys|breaks|scares|terrifies|sounds like|feels like|strikes me as|hurts|exceeds?|goes (?:too|way|far)|misses|falls short)\b"
)
_FACT_AFTER = re.compile(
    r"^(?:'s?)?[ -](?:of being )?(?:overdue|late(?! fee)\b|past[- ]due|ago|behind|old\b|in arrears|delinquent|already|in a row|past the|into\b|since|have (?:already )?(?:passed|gone)"
    r"|has (?:already )?(?:passed|gone)|passed|went by|outstanding|unpaid|later (?:i|we|they|you|he|she|nothing|the)|before (?:the|my|your|he|she|they|our) (?!bed|deadline)"
    r"|of (?:sleep|rest|class\w*|work|homework|study\w*|practice|oxygen|air|food|water|battery|power|light|daylight|history|experience|pain|suffering|silence|driving|labor|labour|rehab\w*|recovery|physical|practice|interest|unpaid|missed|overtime|training|gaming|notice|vacation|lectures?|being|arrears)"
    r"|to (?:get (?:there|to school|ready|dressed|home)|fall asleep|respond|walk|drive|recover|heal|school|campus|class)|(?:drive|walk|commute|ride) |apart|per\b|each\b|a (?:day|night|week|shift)\b|every|on hold|away from (?:school|campus|here|home|you|the hospital)|without (?:food|water|sleep|light|air|pay\w*|work|income|a (?:job|paycheck|break))"
    r"|in (?:the )?(?:hospital|recovery|intensive|jail|school|bed\b)|of my life|earlier today|left (?:on|until|before))"
)
_KINDS = (
    r"(?:plan|window|terms?|deadline|extension|period|wait(?:ing)?|timeline|time ?frame|time ?line|offer|schedule|proposal|slot|arrangement"
    r"|payment|limit|target|agreement|deal|route|one|estimate|eta|rescue|extraction|delay|option|repayment|hold|compromise|mark|settlement"
    r"|maximum|max|cap|horizon|turnaround|date|goal|commitment|figure|grace|bedtime|curfew|lights|cutoff|minimum|stretch|interest-free|final|firm|surgery|surgical|operation|timetable|span|pay|payoff|due|response|evacuation|mission|approach|promise|cut-?off|finish|total|installment|queue|scheduling|line|guarantee|push|solution|middle|ceiling|floor|count ?down|fix|request|counter\w*|booking)"
)
_OTHER_KIND = re.compile(rf"^(?!-old)[ -](?!{_KINDS}\b)(?:\w+ ){{0,2}}(?:fee|shift|drive|walk|break|nap|notice|vacation|stay|recovery|nights?|commute|course|program|class|exam|essay|project|training|trip|ride|check|exercise|session|meditation|video|game|movie|episode|warranty|contract|ban|trial|supply|battery|prescription|history|backlog|audit|hearing|shower|routine|jog|flight|procedure|infusion|rehab|hospitali[sz]ation|study|test|lecture|workout|podcast|scan|sleep|rest|pause|supply|alarm|snooze|veteran|customer|delinquency)\b")
_FACT_BEFORE = re.compile(
    r"\b(?:overdue|past due|delinquent|in arrears|outstanding|unpaid|late|behind)(?: \w+)?(?: for| by|:)? (?:about |over |nearly |almost |more than |exactly )*$"
    r"|(?:\b(?:i|we|you|they|he|she|it|which|that|\w+)(?:'ve|'s|'d| have| has| had)|\bhaving)(?: \w+)?? been (?!approved|authori|able|cleared|given|allowed|granted|scheduled|booked|moved|set|asked|told to|offered)[^,;]{0,50}$"
    r"|\b(?:waited|suffered|lived|spent|lost|owed|endured|survived|slept|stayed|worked|passed|elapsed|trapped|stuck|buried|pinned|took|lasted|tried|missed|fainted|bled|sat|lain|lay|heard|felt|been (?:here|awake|on|in|under|waiting)|woke|turned|held (?:on|out)|hung on|put up with)(?: \w+){0,5}(?: for| after| about| almost| nearly| over| more than| the last| the past)* $"
    r"|\b(?:for|in|over|during|within) the (?:last|past|previous) $|\b(?:since|every|each|per|another|it's been|ago|once every|once in) $(?<!another )"
    r"|\b(?:is|are|am|'s|'re|'m|now|already|gone|going|went|currently|at) (?:already |now |well |over |almost |nearly )*(?:past|over|beyond) $"
    r"|^(?:it'?s |it is |we're |this is )?(?:already|now) (?:over |past |almost |nearly |more than )*$"
    r"|\b(?:lasts?|took|age[ds]?|turn(?:s|ed|ing)|for another person|history of|backlog of|shift of|supply of|average of|average (?:wait|is)|usual\w* (?:wait\w*|takes?)|normal\w* (?:wait|takes?)|typical\w*(?: \w+)? (?:wait|takes?)) (?:is |of |about |over )*$"
)
_EVENT = re.compile(
    r"\b(?:arriv\w+|expir\w+|runs? out|end(?:s|ing)?|start(?:s|ing)|begin(?:s|ning)|peaks?|reced\w+|lasts?|due|returns?|dries|gives out|dies|depart\w*|lands?|opens|closes|clears"
    r"|posts|sets? in|collaps\w+|floods?|drop(?:s|ping)|come(?:s)? (?:back|in|due|through|off|around)?|reach(?:es)?|pass(?:es)?|fall(?:s)?|hit(?:s)?|get(?:s)? (?:here|there|back)|kicks? in|hatch\w*|happens|is (?:in|on|scheduled)|are (?:in|on)|gets|goes|wears? off|takes?|is|are|(?:will|'ll|should) be (?:there|here|with you|over|back|delivered|released))\b"
    r"(?: \w+)?(?: \w+)? (?:in|within|after|every|about|around|only|just|at|for|by)? ?(?:about |around |just |roughly |only |another )*$"
)
_THINGS = re.compile(
    r"\b(?:drones?|fires?|flames|water|smoke|floods?|tides?|storm|battery|oxygen|tank|supplies|supply|medicine|medication|aftershocks?|wave|pay ?che(?:ck|que)s?|paydays?|salary|refund|loan|grant|tax\w*"
    r"|results?|recovery|hearing|court|trial|rent|mortgage|lease|license|contract|bus|train|flight|lecture|semester|school|tests?|scan|mri|biopsy|blood|audit|bonus|commission|invoices?|check|radio|phone|generator|dehydration|hypothermia|rain|snow|sun|shift|baby|wedding|birthday|vacation|trip|game|show|movie|painkillers?|anesthe\w+|antibiotics?|insurance|paperwork|approval|bank|lab|helicopter|ambulance|dog|food|heater|airdrop|fever|tide|warranty|fiscal|quarter|interest|late fee|next (?:meeting|bus|train|shift|check|scan|appointment|pay\w*|round|delivery|drop|wave)|inspection|news|deposit|transfer|client|customers?|school year|daughter|son|wife|husband|mother|father|surgeon (?:is|returns?|gets)|coolant|lamp|flashlight|fuel|building|roof|ceiling|tunnel|air|shelter|chopper|volunteers?|pump)\b"
)
_FORMER = re.compile(
    r"\b(?:was|were|had|wanted|hoped|thought|started|began|used to|first|initially|originally|could have|would have|opened|said|told you"
    r"|looked at|considered|previously|at first|might have|earlier|began|proposed|offered|asked|mentioned|came|went|tried|preferred|planned|(?:up|down) from)\b(?!.*\b(?:now|instead|to be)\b)[^;]{0,60}$"
)
_OWN = re.compile(
    r"\b(?:i|i'm|i'll|i'd|i've|we|we're|we'll|we'd|we've|let's|let|how about|what about|what if|make|say|could|can|would|will|offer\w*|propos\w+|suggest\w*"
    r"|need|want|ask\w*|within|at most|up to|max\w*|at least|my|our|us|giv\w+|please|pay|settle|schedule|operate|hold|hang|wait|deal|accept|agree\w*|fine|okay"
    r"|ok|call|meet|final\w*|estimate|eta|request|commit\w*|push|aim|asleep|bed|stay|keep|stick|extend|bring|set|has to be|must|then|instead|perhaps|maybe|than|you'll|you'd|yes|sure)\b"
)
_ALONE = re.compile(r"^[\W]*(?:(?:so|then|and|but|ok|okay|fine|well|yes|no|alright|right|sure|maybe|perhaps|please|look|listen|now|just|only|about|around|still|again|agreed|deal|final|offer|or|not more than) ?[,:.-]* ?)*$")


def strength(text: str, at: int, figure: Figure, quantity: Quantity) -> int:
    """How firmly the speaker puts forward the figure whose mark is text[at]; `NONE` if not at all."""
    question = text.endswith("?")
    before, after = text[max(0, at - 110) : at], text[at + 1 : at + 91]
    head = _CLAUSE.split(before)[-1]
    clause = head.rsplit(":", 1)[-1]
    alone = is_alone(head)
    if figure.unit is None and not is_offered(before, after, alone):
        return NONE
    if _INSTEAD.search(before) and not _NOT_REALLY.search(clause):
        return NONE
    if _negated(clause, question) or (not question and _spoiled(after)):
        return NONE
    taken = _TAKEN_BEFORE.search(head) is not None
    if not taken and _others(before, head, after):
        return NONE
    if _fact(before, head, after) or (isinstance(quantity, Clock) and is_other_time(head, after)):
        return NONE
    if figure.former or _FORMER.search(clause):
        return FORMER
    return FIRM if alone or taken or _OWN.search(clause) else PLAIN


def is_alone(head: str) -> bool:
    """Whether nothing of weight is said before a figure."""
    return _ALONE.match(head) is not None


def _negated(clause: str, question: bool) -> bool:
    if not _NEGATION.search(clause):
        return False
    if _CONDITIONAL.search(clause) or _NOT_REALLY.search(clause) or (question and _QUESTIONED.search(clause + "#")):
        return False
    return not (_BOUND.search(clause) and not _OUTLASTS.search(clause))


def _spoiled(after: str) -> bool:
    return _BAD_AFTER.search(after) is not None and not _FINE_AFTER_ALL.search(after[:40])


def _others(before: str, head: str, after: str) -> bool:
    if _YOURS_AFTER.search(after):
        return True
    if not _YOURS.search(before) or _YOURS_BARE.search(head):
        return False
    return _TAKEN_AFTER.search(after) is None or not re.search(r"\byour (?:\w+ ){0,3}$", before)


def _fact(before: str, head: str, after: str) -> bool:
    if _FACT_AFTER.search(after) or _FACT_BEFORE.search(before) or _OTHER_KIND.search(after):
        return True
    return _THINGS.search(head) is not None and _EVENT.search(head) is not None
