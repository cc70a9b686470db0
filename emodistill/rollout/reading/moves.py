"""Acceptances and walk-aways in the skeleton of one sentence.

A question, a condition, a negation, somebody else's words, or a price named first ("give me 60 days and we have a
deal") is neither.
"""

import re

_MANNER = (
    r"(?: (?:will|shall|can|do|am|are|must|have to|hereby|gladly|gratefully|happily|formally|officially|fully|humbly|willingly|readily|reluctantly|respectfully|graciously|also|therefore|now|just|guess|think|suppose|believe|believe that"
    r"|happy to|glad to|willing to|prepared to|ready to|pleased to|going to|able to|delighted to|honou?red to|relieved to|inclined to|content to|would be (?:happy|glad|willing|pleased|delighted) to|would (?:like|love) to|would gladly|'d (?:like|love) to|'d gladly|i|we|i'll|we'll|i'm|we're|i can|so|still|then|definitely|certainly|absolutely|truly|really"
    r"|'m|'re|'ll|'d be (?:happy|glad|willing|pleased|delighted) to|say yes and|with (?:relief|gratitude|pleasure)|choose to|decided to|have decided to|want to)|,)*"
)
_SUBJECT = rf"\b(?:i|we)(?:'ll|'m|'re|'ve|'d(?= (?:be (?:happy|glad|willing|pleased|delighted)|like|love|gladly)\b))?{_MANNER}"
_TERMS = (
    r"(?:offers?|proposals?|terms?|figure|number|deal|suggestion|plan|time ?line|time ?frame|request|compromise|counter-?(?: ?offer)?|arrangement|conditions?|schedule|slot|date|bedtime|time|estimate|extension|deadline|"
    r"option|window|wait|position|solution|settlement|agreement|eta|one|demand|idea|middle ground|period|curfew|limit|target|ask)"
)
_IT = r"(?:that|this|it|those|these)"
_YOURS = rf"(?:(?:all )?(?:your|the|this|that|these|those|his|her)(?: \w+)?? (?:{_TERMS}|[#~])|{_IT})"
_STOP = (
    r"(?= ?(?:$|[.,!;:)]|-|and\b|then\b|so\b|as\b|with\b|for\b|from\b|in\b|because\b|right\b|gladly\b|now\b|thank\w*|happily\b|at\b|of\b|on\b|gratefully\b|too\b|today\b|tonight\b|immediately\b|but\b|to (?:close|end|settle|get|move|show|keep|avoid|make)|wholeheartedly|without|just|even|you\b|since\b|it is\b|under\b|please\b|here\b|fully\b|completely\b|by\b|is\b|straight|here|instead|, |- |after\b|over\b|once and for all|that you|which|-|as is\b|willingly|works?\b))"
)
_ACCEPT = re.compile(
    rf"{_SUBJECT} (?:accept|agree to|agree on|agree with|take|settle for|settle on|settle at|go with|go along with|sign off on|sign|approve|shake on|shake hands on|commit to|say yes to|consent to|embrace|welcome and accept|lock in|confirm|match|honou?r|respect|grant|take you up on|support)"
    rf" (?:{_YOURS}){_STOP}"
    rf"|{_SUBJECT} (?:accept|agree(?! with you)|consent|concur|approve|give in|concede|surrender|say yes|say deal)(?= ?(?:$|[.,!;:)]|- |and\b|to #|gratefully|gladly|with (?:gratitude|relief|pleasure|thanks|all)|completely\b|fully\b|wholeheartedly|unconditionally|now\b|on #|at #))"
    rf"|{_SUBJECT} (?:accept|take|agree (?:to|on)) (?:#|~)"
    rf"|\b(?:i|we)(?: can|'m| am|'re| are|'ll| will| think i can| guess i can)(?: (?:be|certainly|definitely|just|also|absolutely|totally|perfectly|completely|truly|very|quite|more than|all|probably|easily|happily))*"
    rf" (?:live with|work with|do|manage|handle|fine with|ok(?:ay)? with|good with|happy with|comfortable with|satisfied with|content with|on board with|down with|cool with|wait|hold on|hang on|settle for|go with|make|stick to|agreeable to|agree to|agree with|accept|take|match|respect|honou?r|in agreement with|agreed on|pleased with|at peace with)"
    rf"(?: for)? {_YOURS}(?: work| happen)?(?= ?(?:$|[.,!;:)]|- |and\b|then\b|so\b|as\b|for\b|from\b|because\b|but\b|too\b|thank\w*|to (?:close|end|settle|get|show|keep|avoid|make)|if i must|you\b|at\b|of\b|that you))"
    r"|\b(?:you(?:'ve| have)?(?: just)? got(?: yourself| yourselves)?|we(?:'ve| have) (?:got )?(?:ourselves )?|we have|you have(?: yourself)?|we've got(?: ourselves)?|so we have|you have yourselves|that makes|that's|it's|it is|that is|call (?:it|that)|consider (?:it|this|that)|let's call (?:it|that)|sounds like|then it's|make it) an? (?:(?:done|firm|fair) )?(?:deal|agreement)\b(?! with)"
    r"|\bwe have (?:an? )?(?:deal|agreement)\b|\b(?:you have|you've got) my (?:agreement|word|acceptance|consent)\b|\b(?:we|we're|we are|we've|it's|it is|that's|consider it|consider that|all|then it's|that is) (?:all )?(?:agreed|settled|sorted|in agreement|a done deal|done and dusted)\b"
    r"|(?:^|[,:-] |\b(?:ok|okay|fine|yes|then|well|alright|so|right|great|good|perfect) )(?:done deal|deal|agreed|accepted|settled|sold|done|offer accepted|consider it done|it's done|that's settled|you're on|you win|we're on|count me in|count us in|i'm in(?! (?:pain|trouble|bed|a|the|my|no|so|here|agony|need|debt|over))|we're in(?! (?:a|the|this|no|trouble|so))|works for (?:me|us)|fine by (?:me|us)|fine with (?:me|us)|(?:ok|okay|good|alright|suits|that suits) (?:by|with|for)? ?(?:me|us)|suits (?:me|us)|no objections?|let's do (?:it|that|this)|let's go with (?:it|that|this|your #)|let's (?:shake|lock) (?:on )?(?:it|that|this)(?: in)?|lock it in|book it|sounds (?:good|great|fair|perfect|fine|reasonable|acceptable|like a plan)(?: to (?:me|us))?|say no more|it's settled|(?:i|we) do (?:accept|agree)|agreed then)(?= ?(?:$|[.,!;:)]|- |then\b|at [#~]|on [#~]|for [#~]|it is|and\b|[#~]|to (?:me|us)\b|because\b|as\b|for (?:me|us)\b|for now))"
    r"|\b(?:that|this|it|your (?:\w+ )?(?:#|offer|proposal|terms?|plan|suggestion|figure|number|counter-?(?: ?offer)?|timeline|estimate|time|bedtime|compromise)|the (?:#|offer|proposal|terms?|plan|deal))(?:'s| is| are| will| would| does|'ll|'d)?(?: be)?(?: (?:just|perfectly|absolutely|totally|completely|all|certainly|definitely|quite|entirely|actually|good and|more than|really|very))*"
    r" (?:works?(?: (?:well|fine|perfectly|great))?(?: for (?:me|us|my|our|everyone|both)\b| with (?:me|us)\b|$|[.,!])|(?:fine|ok|okay|good|alright|all right|cool|great)(?: (?:by|with|for) (?:me|us)|[.,!]|$| then)|acceptable|agreeable|accepted\b|agreed\b|do(?: nicely)?(?:[.,!]|$)|settles it|suits? (?:me|us)|something (?:i|we) can (?:live with|accept|agree to|work with)|a deal\b|doable(?:[.,!]|$)|manageable(?:[.,!]|$)|sounds? (?:good|great|fair|perfect|fine|reasonable|acceptable|right)\b(?!.*\bbut)|sealed)"
    r"|^(?:(?:ok|okay|fine|yes|sure|great|good|perfect|alright|all right|agreed|deal|very well|then|well then|well|so),? )*(?:#|~) (?:it is|it'll be|then it is|sharp it is)\b"
    r"|^(?:(?:ok|okay|fine|yes|yeah|yep|sure|great|good|perfect|alright|all right|very well|well|absolutely|of course|fair enough|you win|i guess|thank you|then),? )+(?:then )?(?:your |the |those |that )?(?:#|~)(?: is| are| will| does)? (?:works?|fine|acceptable|good|ok|okay|do\b|do it\b|agreed|it is|sounds|manageable|doable|suits)(?: (?:for|by|with) (?:me|us))?"
    r"|^(?:your |the |those )?(?:#|~) (?:works for (?:me|us)|works\b(?= ?[.,!])|is (?:fine|acceptable|ok|okay|good|agreed|agreeable|accepted)(?: (?:by|with|for) (?:me|us)| to (?:me|us))?|sounds (?:good|fair|fine|great|reasonable|acceptable)|suits (?:me|us))"
    r"|\b(?:happy|glad|pleased|delighted|willing|ready|relieved) to (?:accept|agree|take) (?:that|it|this|your)\b|\b(?:accept|agree to) (?:your|the) (?:offer|terms|proposal) (?:in full|as is|unconditionally)"
    r"|\bi(?:'ll| will| can)(?: (?:gladly|happily|certainly|definitely|absolutely|just))? do (?:it|that)(?= ?(?:$|[.,!;]|- |and\b|for you|then\b))|\bwe(?:'ll| will| can)(?: (?:gladly|happily|certainly|definitely|absolutely))? do that(?= ?(?:$|[.,!;]|- |for you))"
    r"|\b(?:i|we)(?:'ll| will| can)(?: (?:hold on|hang on|wait|last|manage|hold out|be patient))(?: for)? that long\b|\bi(?:'ll| will) be (?:in bed|asleep) by then\b|\b(?:i|we) have no objections?\b|\byes to (?:your |the )?(?:#|~|offer|that)"
)
_CAN_FIGURE = re.compile(r"\b(?:can|could|able to|willing to|prepared to|ready to|inclined to|going to) (?:accept|take|agree (?:to|on)|commit to|live with|do) [#~]")

_DENIED = re.compile(
    r"(?:\b(?:not|never|cannot|neither|nor|unable|refuse[sd]?|nobody|hardly|without|before|until|rather than|instead of|far from|nowhere|why (?:should|would|must)|how (?:can|could)|(?:could|might|may|would) (?:have|only|never|almost)|almost|nearly|as if|wish(?:ed)?|in no way|no way|once|whether"
    r"|you(?:'d)? (?:said?|say|think|want|expect|claim|told|need|believe|hope|wanted|assume|heard|thought|can't expect)|they (?:said|want|told|think)|he (?:said|wants)|she (?:said|wants)|who says|pretend|supposed to|force\w*|make me|waiting for|(?:don't|not) \w+ (?:that|this) is|one day|someday|maybe|perhaps|sooner than|don't know (?:if|that)|doubt|tempted)\b|n't\b)[^,;:]{0,60}$"
    r"|\b(?:do|does|would|could|can|should|so do|are|is)(?: we| you| it) ?$"
)
_CONDITION = re.compile(
    r"\b(?:if|unless|provided|providing|as long as|so long as|on (?:the |one |this )?conditions?|contingent|assuming|only when|only once|in exchange for|in return for|subject to|except|when you|once you|as soon as you|until you|the (?:moment|minute|day|second) you|should you|were you to|had you|in case|would (?:have|accept|agree|take|be a deal)|depending)\b"
)
_NOT_A_CONDITION = re.compile(
    r"\bif (?:that(?:'s| is)|it(?:'s| is| means| helps| gets| ends| keeps)|this (?:is|means|helps)|i must|we must|you (?:insist|say so|must|promise nothing)|it must|necessary|need be|nothing else|anything|only|not)\b[^#~]{0,60}$|\bas if\b|\beven if\b|\bif [^#~,]{0,40}, (?:then )?(?:fine|deal|agreed|i accept)"
)
_PRICED = re.compile(
    r"(?:[#~][^,;]*,? and|^(?:(?:just|please|so|then|well|ok|okay|but) )?(?:make|give|bring|get|drop|lower|raise|add|promise|throw|cut|come|move|meet|show|send|put|waive|knock|take|reduce|extend|offer|let|do|say|pay|go|sign|keep|commit|find|shave|push|stretch|accept|agree|guarantee|name|increase|shorten|speed|split|call|settle)\b.*(?:\b(?:and|then)|[,-])) ?(?:then |so |maybe |perhaps )?(?:i'll |we'll |it'll be |we )?$"
)
_TAKEN_BACK = re.compile(r"\b(?:but|however|though|except|only|yet)\b.*(?:[#~]|n't\b|\b(?:not|cannot|only|need|want|too|first|must|unless|if|still|would|could you|requires?|how about|make it|prefer)\b)")

_ENDING = r"(?:talks?|negotiations?|conversation|discussion|meeting|call|chat|dialogue|session|exchange|transmission|bargaining|program|coaching|debate|nonsense|charade|process|line|matter|back and forth)"
_WALK = re.compile(
    r"\b(?:i'm|i am|we're|we are)(?: (?:now|just|officially|simply|afraid|hereby|both|so|completely|absolutely|all|totally|therefore|really|done and))* (?:walking (?:away|out)|walking\b(?= ?[.,!]|$)|leaving(?= ?(?:$|[.,!;]|now\b|this\b|the (?:table|talks|negotiation|conversation|call|office|program|room)\b))|done(?= ?(?:$|[.!,;]|- |here\b|talking\b|negotiating\b|bargaining\b|discussing\b|arguing\b|debating\b|listening\b|trying\b|dealing\b|wasting\b|playing\b|with (?:you|this|these|the (?:talks?|negotiat\w+|conversation|program|discussion)|your|all|it)\b|for good|haggling))"
    r"|finished(?= ?(?:$|[.!,;]|- |here\b|talking\b|negotiating\b|with (?:you|this|these)\b))|through(?= ?(?:$|[.!,;]|here\b|with (?:you|this|these|the)\b|talking|negotiating))|out(?= ?(?:$|[.!,;]|of here\b|of this (?:conversation|negotiation|program|deal)|- ))|outta here|off(?= ?[.!,]|$)|gone|"
    rf"(?:ending|closing|terminating|stopping|quitting|leaving|abandoning|breaking off|cutting off|withdrawing from|dropping out of|pulling out of|exiting|hanging up on|walking out (?:of|on)|concluding|breaking up|calling off|dropping|cancelling|canceling) (?:this|these|the|our|all|any)(?: \w+)? ?{_ENDING}|ending (?:it|things|this)(?= ?(?:here|now|[.!,]|$))|breaking off(?= ?(?:the |these |all |our )?(?:talks|negotiations?|contact|discussions?))|withdrawing|quitting|hanging up|logging off|signing off|pulling out|pulling the plug|giving up on (?:this|you|these|the)|calling (?:it|this) off|cutting (?:this|the|you) (?:short|off|line)|(?:taking|moving) (?:my|our) (?:business|case|surgery|file|care) (?:elsewhere|to another)|going (?:elsewhere|to (?:another|a different) \w+|to find (?:another|someone|a different))|finding (?:another|someone else|a different)|switching (?:this|the) \w+ off|turning (?:off|this off)|transferring my)"
    rf"|\b(?:i|we)(?:'ll| will|'m going to|'re going to| am going to| are going to| must| have to| shall| choose to| have decided to|'ve decided to| hereby| now| need to| therefore)*(?: (?:now|hereby|just|simply|therefore|officially|be|have to|must))* (?:walk(?:ing)? (?:away|out)|break(?:ing)? off|withdraw(?:ing)?|quit\b|terminat(?:e|ing)|(?:take|taking) (?:my|our) (?:business|case|surgery|file|care) elsewhere|go(?:ing)? elsewhere|hang(?:ing)? up|pull out|leave (?:now|the table|this (?:negotiation|conversation|table))|(?:end|close|stop|terminate|break off|conclude|ending|closing|leave|abandon|exit|cut off|call off|suspend)(?: (?:this|these|the|our|all))(?: \w+)?? {_ENDING}|give up on (?:this|you|these|the)|rest my case|find (?:another|someone else|a different)|go(?:ing)? (?:to )?(?:another|a different) (?:hospital|clinic|coach|lender|surgeon|team)|look(?:ing)? elsewhere|never speak to you again|(?:want|need) out)"
    rf"|\b(?:the|this|these|our|all|any)(?: further| whole)? {_ENDING}(?: between us| with you)? (?:is|are|has|have|ends?|stops?)(?: now| hereby| officially| been| come)* ?(?:over|finished|ended|closed|terminated|done|dead|to an end|failed|broken down|off|concluded|at an end|here|now|pointless and over|cancelled|called off)\b"
    r"|\b(?:there(?:'s| is)|we have|i have|i've got|we've got) (?:nothing|no more|nothing else|no point)(?: (?:more|left|further|else))?(?: (?:for us |left )?)?(?:to (?:discuss|talk about|say to you|negotiate|say|add to this)|in (?:continuing|talking|going on|discussing|negotiating))\b"
    r"|(?:^|[,;:-] |\b(?:so|and|then|now|well|ok|okay) )(?:good-?bye|good bye|bye|bye-bye|farewell|so long|adios)(?= ?(?:$|[.,!;]|- |then\b|and\b|to you|for good|forever))"
    r"|\b(?:go )?find (?:yourself )?(?:another|someone else|somebody else|a different) ?(?:\w+ )?(?:to|hospital|coach|lender|patient|clinic|fool|victim|buyer|student|debtor|surgeon|creditor|team|scheduler|sucker|person|one|guy|client|customer|$|[.,!])"
    r"|\b(?:talks|negotiations?|deal|all bets) (?:are|is) off\b|\b(?:see you|we'll see you|i'll see you|we will see you|i will see you) in court\b|\b(?:do not|don't) (?:ever )?(?:call|contact|message|text|write|speak to|talk to|radio|bother)(?: (?:to|me|us))+(?: (?:again|anymore|ever|any more))|^(?:i'm )?(?:over and out|end of (?:discussion|conversation|negotiation|story)|conversation over|negotiation over|we're over|it's over|it is over|count me out|i quit|i give up|meeting adjourned|we're finished|this is over|that's it, i'm out|no deal, (?:good)?bye)(?= ?(?:$|[.,!;]|- |and\b|between us))"
    r"|\b(?:this|it)(?:'s| is) (?:over|goodbye|the end of (?:this|our|the|these) \w+|where (?:we|this) (?:ends?|part\w*|stop)|where i (?:get off|walk|leave|draw))\b(?! \d)|\b(?:i|we) (?:wash my|wash our) hands|\bconsider (?:this|these|our|the) (?:\w+ )?(?:closed|over|ended|terminated|finished)\b|\bwe part ways\b|\bpart(?:ing)? ways (?:here|now)\b|\bi want nothing more to do with\b|\bi(?:'ve| have) (?:heard|had) enough(?: of (?:this|you))?[.,!;] ?(?:i'm |good|we're )|\bi won't (?:be )?(?:negotiat\w+|talk\w*|discuss\w*|continu\w+|speak\w*|listen\w*)(?: \w+){0,2} (?:any ?more|any longer|any further|further|again|this)\b|\bi(?:'m| am) no longer (?:negotiating|interested|willing to (?:talk|negotiate|discuss))|\b(?:i|we) (?:am |are )?(?:refuse|refusing) to (?:negotiate|talk|continue|discuss|speak|go on)(?: \w+){0,3}(?: any| further|$|[.!,;])"
)
_MAYBE = re.compile(
    r"\b(?:if|unless|or|otherwise|or else|could|might|may|would|before|when|until|whenever|next time|one more|another|rather|ready to|prepared to|about to|close to|tempted|inclined|considering"
    r"|thinking (?:of|about)|want(?:ed)? (?:me )?to|(?:don't|do not) (?:make|force|let)|you (?:said|say|told|want|think|claim|keep|threaten\w*)|they|he|she|never|not|without|keep|any more|again and|try(?: me)?|push me"
    r"|threaten\w*|afraid|hope|wish|as soon as|once|either|risk|than|last chance|in case|whether|why|who|nearly|almost|told (?:me|us))\b|n't\b"
)
_MAYBE_AFTER = re.compile(r"\b(?:if|unless|until|or (?:you|we|i)\b|when you|tomorrow)\b")
_RETRACTS = re.compile(
    r"^(?:but |and |well,? |though |however,? )?(?:only if|only when|on one condition|under one condition|with one condition|provided|as long as|unless|that is,? if|i take (?:that|it) back|scratch that|never ?mind|on second thought|wait,? no|no,? wait|actually,? no|just kidding|not!|not really|except|if and only if|i changed my mind|i was (?:joking|kidding))\b"
)
_REJECTS_ECHO = re.compile(
    r"^(?:oh |please,? |come on,? |well,? |that'?s |it'?s |that is |this is |you )*(?:no\b|never\b|impossible|absurd|not (?:possible|a chance|happening|going to)|no way|ridiculous|out of the question|unacceptable|too (?:long|late|early|soon|much)|far too|way too|simply (?:not|too)|just (?:not|too)|insane|crazy|absolutely not|are you (?:serious|kidding|joking|insane|crazy|mad)|must be (?:joking|kidding)|i (?:can't|cannot|won't|could never|will not|refuse|don't)|we (?:can't|cannot|won't|don't)|not (?:on|in|over|while)|hardly|unrealistic|unthinkable|a joke|forget it|that (?:won't|doesn't|does not|will not|can't|would (?:kill|ruin|never)|will never|isn't)|what (?:a joke|nonsense)|you can't|nonsense|madness|how (?:can|could|am|dare))"
)


def accepts(sentence: str) -> bool:
    """Whether the sentence takes the standing offer."""
    if sentence.endswith("?"):
        return False
    return any(_plainly(sentence, match) for match in _ACCEPT.finditer(sentence))


def _plainly(sentence: str, match: re.Match[str]) -> bool:
    before, after = sentence[: match.start()], sentence[match.start() :]
    if _DENIED.search(before[-80:]) or _DENIED.search(match[0]) or _PRICED.search(before[-120:]):
        return False
    if _CONDITION.search(sentence) and not _NOT_A_CONDITION.search(sentence):
        return False
    return not _TAKEN_BACK.search(after) and not _CAN_FIGURE.search(match[0])


def walks(sentence: str) -> bool:
    """Whether the sentence ends the talks now."""
    match = _WALK.search(sentence)
    if match is None or sentence.endswith("?"):
        return False
    before, after = sentence[max(0, match.start() - 80) : match.start()], sentence[match.end() : match.end() + 60]
    return _MAYBE.search(before) is None and _MAYBE_AFTER.search(after) is None and not _PRICED.search(before)


def retracts(sentence: str) -> bool:
    """Whether the sentence takes back or puts a condition on an acceptance before it."""
    return _RETRACTS.search(sentence) is not None


def rejects_echo(sentence: str) -> bool:
    """Whether the sentence answers a figure that was only echoed (`90 days? Impossible.`) by a refusal."""
    return _REJECTS_ECHO.search(sentence) is not None
