"""Whether a sentence takes the other side's standing offer.

A question, a condition, a negation, somebody else's words, or a price named first ("give me 60 days and we have a
deal") does not. All patterns read skeletons (see `figures`).
"""

from emodistill.rollout.reading.wording import group, wording

_GLAD = r"(?:happy|glad|willing|prepared|ready|pleased|delighted|honou?red|relieved|inclined|content|able) to"
_MANNER = group(rf"""
    will|shall|can|do(?= accept| agree)|am|are|must|have (?:decided )?to|'ll|'m|'re|'ve|going to|choose to|decided to
    \w+ly|also|hereby|therefore|now|just|so|still|then|too|with (?:relief|gratitude|pleasure)
    guess|think|suppose|believe|that|i|we
    {_GLAD}|would be {_GLAD}|'d be {_GLAD}|(?:would|'d) (?:like|love|gladly)(?: to)?|want to|,
""")
_WE = rf"\b(?:i|we)(?: ?{_MANNER}\b| ?,){{0,5}}+"
_TERMS = group("""
    (?:counter-?)? ?(?:offers?|proposals?)|terms?|conditions?|figure|number|deal|suggestion|plan|time ?(?:line|frame)?
    request|compromise|arrangement|schedule|slot|date|bedtime|estimate|extension|deadline|option|window|wait|position
    solution|settlement|agreement|eta|one|demand|idea|period|curfew|limit|target|ask|#|~
""")
_THAT = (
    rf"(?:(?:all )?(?:your|the|this|that|these|those)(?: (?!for )\w+)?? {_TERMS}(?:[ -]{_TERMS})?"
    r"|that(?! you(?:'re|'ve| are| have| feel| want| need)\b)|this|it|those|these"
    r"|what you(?:'ve| have|'re| are)? (?:just )?(?:suggest|propos|offer|ask)\w*(?: for)?)"
)
_OVER = r"(?= ?(?:$|[.,!;:)]|- ))"  # the phrase ends here
_CLOSED = r"(?= ?(?:$|[.!;]|and\b|,? (?:and )?thank|- ))"  # no reasons follow, as they do where a figure is argued for
_ON = group(r"""
    (?= ?(?:$|[.,!;:)]|-))
    (?= (?:and|then|so|as|for(?! [#~])|from|in|because|right|now|thank\w*|at|of|on|too|today|tonight|but|even|you|\
        since|under)\b)
    (?= (?:please|here|by|is|straight|instead|after|over|once|that you|which|works?|without|it is|\w+ly)\b)
    (?= to (?:close|end|settle|get|move|show|keep|avoid|make|help)\b)
""")
_TAKE = group(r"""
    accept|agree (?:to|on|with)|take|settle (?:for|on|at)|go (?:along )?with|sign(?: off on)?|approve|commit to|confirm
    shake (?:hands )?on|say yes to|consent to|match|honou?r|grant|take you up on|live with|work with
    do(?! these\b| (?:this|that|it) (?:safe|quick|right|proper|careful|by|the))
    manage|handle|support|stick to|wait|hold on|hang on|accepting|agreeing (?:to|on|with)|approving|granting
""")
_PLEASED = group("""
    fine|ok(?:ay)?|good|happy|comfortable|satisfied|content|on board|down|cool|pleased|at peace|in agreement|agreeable
""")
_OPENER = group("""
    ok|okay|fine|yes|yeah|yep|sure|great|good|perfect|alright|all right|agreed|deal|very well|well|absolutely
    of course|fair enough|understood|got it|copy(?: that)?|roger(?: that)?|you win|thank you|then|so|right|i guess
""")
_WORKS = group(r"""
    works?(?: (?:well|fine|perfectly|great))? for (?:me|us|everyone|both)
    (?:works?(?: (?:well|fine|perfectly|great))?|do(?: nicely)?|doable|manageable)(?= ?(?:$|[.,!]))
    (?:fine|ok|okay|good|alright|all right|cool|great)(?: (?:by|with|for) (?:me|us)|(?= ?(?:$|[.,!]| then)))
    (?:acceptable|agreeable)(?! (?:to|for) you\b)|accepted|agreed|approved|granted|settles it|suits? (?:me|us)
    a deal(?! ?-?breaker)|sealed
    something (?:i|we) can (?:live with|accept|agree to|work with)
    sounds? (?:good|great|fair|perfect|fine|reasonable|acceptable|right)
""")
_SOFTLY = r"(?: (?:just|perfectly|absolutely|totally|completely|all|certainly|quite|entirely|more than|really|very))*"

_ACCEPT = wording(rf"""
    {_WE} {_TAKE}(?: for)? {_THAT}{_ON}|(?<![#~] - ){_WE} make (?:that|this|it) (?:work|happen){_OVER}
    {_WE} (?:accept|agree(?! with you)|consent|concur|approve|concede|surrender|say yes){_OVER}
    {_WE} (?:accept|grant|approve) your (?:request|proposal|offer|plea) for [#~]{_OVER}
    {_WE} (?:accept|agree|consent)(?= (?:and|now|with (?:gratitude|relief|pleasure|thanks|all)|\w+ly)\b)
    {_WE} (?:accept|take|agree (?:to|on)) [#~]{_ON}
    {_WE} agree to (?:pay|wait|hold on|hang on|go to (?:bed|sleep)|sleep|be in bed)[^,;#~]{{0,30}} \#
    {_WE}{_SOFTLY} {_PLEASED} (?:with|to) {_THAT}{_ON}
    \b{_GLAD} (?:accept|agree|take) (?:that|it|this|your)\b
    \b(?:i|we)(?:'ll| will| can)(?: \w+ly| just)? (?:do that|wait that long|(?:hold|hang) (?:on|\
        out)(?: for)? that long){_OVER}
    \bi(?:'ll| will| can)(?: \w+ly| just)? (?:do it(?: your way)?|wait for you){_OVER}
    \bi(?:'ll| will) be (?:in bed|asleep) by then\b
    \b(?:i|we) have no objections?\b|\b(?:i|we) do (?:accept|agree){_OVER}
    \b(?:i|we)(?:'ll| will| can)(?: \w+ly| just)? (?:hold on|hang on|hold out|wait|manage|be ready) until then\b
    \b(?:i|we)(?:'ll| will| can) live with (?:that |the )?[#~](?= ?(?:$|[^\w ,]|,? and i(?:'m| am)\b))
    \b(?:my|our) (?:acceptance|agreement) (?:of|to) {_THAT}{_ON}
    \b(?:i|we)(?:'ll| will)(?: now| gladly)? confirm (?:the|your|that|this) (?:booking|slot|date|payment plan|deal)\b
    # a deal
    \b(?:you|we|i)(?:'ve| have)?(?: just)? (?:got|have)(?: yourself| yourselves| ourselves)? an? (?:\w+ )?(?:deal|\
        agreement)\b
    \b(?:you|we)(?:'ve| have) an? (?:\w+ )?(?:deal|agreement)\b
    \b(?:you have|you've got) my (?:agreement|acceptance|consent)\b
    \b(?:that's|that is|it's|it is|then it's|call it|consider (?:it|this|that)|let's call (?:it|that)|\
        sounds like) an? (?!big |huge |great |good |tough |lousy |bad )(?:\w+ )?deal\b(?![ -]?breaker)
    \b(?:we're|we are|we've|it's|it is|that's|that is|consider (?:it|that)) (?:all )?(?:agreed|settled|sorted|\
        in agreement|done and dusted)\b
    (?:^|[,:-] )(?:please )?book (?:me|us){_OVER}
    \b(?:glad|happy|pleased|relieved|delighted|grateful) (?:that )?we(?:'ve| have| could| can| were able to| managed \
        to)?(?: finally| both)? (?:reach(?:ed)?|c[ao]me to|found) (?:an? )?(?:\w+ )?(?:agreement|deal)\b
    \bconsider it done\b|\byes to (?:your|the|that)\b
    \b(?:book|put|sign|schedule|pencil) (?:me|us) (?:(?:in|down|up)|(?:(?:in|down|up) )?for (?:it|that|\
        (?:your|the|those) \#)){_OVER}
    # short answers
    (?:^|[,:-] |(?<!i'm )(?<!i am )\b{_OPENER} )(?:(?:done )?deal|agreed(?!, (?:it's|it is|this is|these are|\
        you're|you are|the|they|there) )|accepted|(?<!: )(?:settled|sold|done))(?= ?(?:$|\
        [.,!;:)]|- |then\b|(?:at |on |for |)[#~]|it is\b|and\b|(?:just|please|now)\b))
    (?:^|[,:-] |\b{_OPENER} )(?:offer accepted|you're on|you win|we're on|count (?:me|us) in|i'm in|no objections?|\
        lock it in|say no more){_OVER}
    (?:^|[,:-] |\b{_OPENER} )(?:please )?(?:book|schedule) it(?:{_OVER}| before| now)
    (?:^|[,:-] |\b{_OPENER} )let's (?:do|go with|shake on|lock in) (?:(?:it|that|this){_OVER}|(?:your|the|\
        those) [#~]{_ON})
    (?:^|[,:-] |\b{_OPENER} )(?:works for|(?:fine|good|ok|okay|alright) (?:by|with|for)|suits) (?:me|us)\b
    (?:^|[,:-] |\b{_OPENER} )sounds (?:good|great|fair|perfect|fine|reasonable|acceptable|like a plan)(?: to (?:me|\
        us))?{_OVER}
    # what is on the table, praised
    \b(?:{_THAT}|your (?:\w+ ){{0,2}}?{_TERMS}|the {_TERMS})(?:'s| is| are| will| would| does|'ll|\
        'd)?(?: be)?{_SOFTLY} {_WORKS}
    ^(?:{_OPENER}[,.]?(?: -)? )*(?:your |the |those )?[#~](?:,|) (?:it is|it'll be|then it is|sharp it is|agreed|\
        (?:(?<=, )okay|(?<=, )ok|fine|alright|all right|done|deal){_OVER}(?!,? (?:but|if)))\b
    ^(?:{_OPENER},? )+(?:your |the |those |that )?[#~](?: is| are| will| does)? (?:works?|fine|acceptable|good|okay|\
        ok|do|agreed|sounds|manageable|doable|suits)\b
    (?:^|, )(?:your |the |those )?[#~] (?:works for (?:me|us){_CLOSED}|works(?: (?:well|fine|perfectly|\
        great))?(?= ?[.,!])|(?:is|are) (?:fine|acceptable|perfect|ok|\
        okay|good|agreed|agreeable|accepted)\b|sounds (?:good|fair|fine|great|reasonable|acceptable)|suits (?:me|us))
""")
_HINT = wording(
    """
    accept|agree|deal|settle|take|done|fine|ok|good|great|works?|suits?|do|yes|book|schedule|sold|win|with|sounds|sign
    consent|concur|perfect|concede|surrender|approve|that|it|in|on|objection|pencil|put|more|grant|match|honou?r
    confirm|wait|hold|hang|live|glad|happy|pleased|relieved|delighted|grateful
""",
    r"\b",
)
_OWN_LIMIT = wording(
    "can|could|willing to|prepared to|ready to|able to|going to", r"\b", r" (?:take|agree (?:to|on)|commit to|do) [#~]"
)
_DENIED = wording(r"""
    \b(?:not|never|cannot|neither|nor|unable|refuse[sd]?|nobody|hardly|without|before|until|nowhere|almost|\
        nearly)\b[^,;:]{0,60}$
    n't\b[^,;:]{0,60}$
    \b(?:rather than|instead of|far from|as if|wish(?:ed)?|no way|once|whether|who says|pretend|supposed to|doubt|\
        tempted)\b[^,;:]{0,60}$
    \b(?:why (?:should|would|must)|how (?:can|could)|(?:could|might|may|would) (?:have|only))\b[^,;:]{0,60}$
    \b(?:force\w*|make me|waiting for|one day|someday|maybe|perhaps)\b[^,;:]{0,60}$
    \b(?:i|we)(?: do| really| sincerely| just)? (?:hope|trust|pray|wonder)\b[^,;:]{0,60}$|\bhopefully\b[^;:]{0,60}$
    \byou(?:'d)? (?:sa(?:y|id)|think|want|expect|claim|told|need|believe|hope|wanted|assume|heard|\
        thought)\b[^,;:]{0,60}$
    \b(?:they|he|she) (?:said|says|wants?|told|thinks?)\b[^,;:]{0,60}$
    \b(?:do|does|would|could|can|should|are|is)(?: we| you| it) ?$
    (?:'d|\bwould) (?:\w+ )?(?:say |be a )?$
    \bmake $|[#~](?:'s| is| are| would be) (?:the|my|our|all|what|as|better|easier|best|safer)\b[^;:]{0,40}$
    \b(?:find|need|want|look\w* for|come up with|work out|figure out) (?:[\w'-]+ ){1,6}$
    \b(?:propos|suggest)(?:e|es|ing)?\b[^,;:]{0,60}$|\bno \w+ (?:where|in which|that)\b[^,;:]{0,60}$
""")
_CONDITION = wording(
    """
    if|unless|provided|providing|as long as|so long as|on (?:the |one |this )?conditions?|contingent|assuming
    only (?:when|once)
    in exchange for|in return for|subject to|except|(?:when|once|as soon as|until) you
    the (?:moment|minute|day|second) you
    should you|were you to|had you|in case|would have|depending
""",
    r"\b",
    r"\b",
)
_NO_CONDITION = wording(
    r"""
    if (?:that(?:'s| is)|it(?:'s| is| means| helps| gets| ends| keeps)|this (?:is|means|helps)|i must|\
        we must)\b[^#~]{0,60}$
    if (?:you (?:insist|say so|must)|it must|necessary|need be|nothing else|anything|only|not)\b[^#~]{0,60}$
    (?:as|even) if\b
""",
    r"\b",
)
_PRICED = wording(
    r"""
    [#~](?! (?:is|makes|sounds|works|seems|feels)\b)[^,;]*,? and
    ^(?:(?:just|please|so|then|well|ok|okay|but) )?(?:make|give|bring|get|drop|lower|raise|add|promise|throw|cut|\
        come|move|meet|show|send|put|waive)\b.*(?:\b(?:and|then)|[,-])
    ^(?:(?:just|please|so|then|well|ok|okay|but) )?(?:knock|take|reduce|extend|offer|let|do|say|pay|go|sign|keep|\
        commit|find|shave|push|stretch|accept|agree|guarantee|name|increase|shorten|split|call|settle)\b.*(?:\b(?:and|\
        then)|[,-])
    (?:one|any|another|a single) (?:more )?[^,;]* and
    \~ more [^,;]* and
""",
    tail=r" ?(?:then |so |maybe |perhaps )?(?:i'll |we'll |it'll be |we )?$",
)
_TAKEN_BACK = wording(
    r"[#~]|n't\b|\b(?:not|cannot|only|need|want|too|first|must|unless|if|still|would|could you|requires?|prefer)\b",
    r"\b(?:but|however|though|except|only|yet)\b.*",
)
_RETRACTS = wording(
    """
    only (?:if|when)|(?:on|under|with) one condition|provided|as long as|unless|if and only if|except
    i take (?:that|it) back|scratch that|never ?mind|on second thought|wait,? no|no,? wait|actually,? no|just kidding
    not really|i changed my mind|i was (?:joking|kidding)
""",
    r"^(?:but |and |well,? |though |however,? |that is,? )*",
    r"\b",
)


def accepts(sentence: str) -> bool:
    """Whether the sentence takes the standing offer."""
    if sentence.endswith("?") or not _HINT.search(sentence):
        return False
    if _CONDITION.search(sentence) and not _NO_CONDITION.search(sentence):
        return False
    for match in _ACCEPT.finditer(sentence):
        before = sentence[max(0, match.start() - 120) : match.start()]
        if not (_DENIED.search(before) or priced(before) or _OWN_LIMIT.search(match[0])):
            return _TAKEN_BACK.search(sentence, match.start()) is None
    return False


def priced(before: str) -> bool:
    """Whether the words before a move name its price: `45 days and …`, `give me a week, and …`."""
    return _PRICED.search(before) is not None


def retracts(sentence: str) -> bool:
    """Whether the sentence takes back, or puts a condition on, an acceptance before it."""
    return _RETRACTS.search(sentence) is not None
