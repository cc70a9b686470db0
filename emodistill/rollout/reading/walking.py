"""Whether a sentence ends the talks now; a threat, a wish, a report or a condition does not."""

from emodistill.rollout.reading.acceptance import priced
from emodistill.rollout.reading.wording import group, wording

_TALKS = group("""
    talks?|negotiations?|conversation|discussion|meeting|call|chat|dialogue|session|exchange|transmission|bargaining
    program|channel|line|frequency|file
    request|case|ticket|coaching|debate|nonsense|charade|process|matter|back and forth
""")
_SO = r"(?: (?:now|just|simply|afraid|hereby|both|so|all|therefore|\w+ly)){0,3}+"
_BE = rf"\b(?:i'm|i am|we're|we are){_SO}"
_WILL = group(r"""
    'll|\ will|\ must|\ shall|(?:'m|'re| am| are) (?:going|forced) to|\ (?:have|need|choose) to|(?:'ve| have) decided to
    \ (?:have|had) no choice but to
""")
_DO = rf"\b(?:i|we){_WILL}?{_SO}(?: be)?"
_END = r"(?= ?(?:$|[.!,;]|- ))"
_THESE = r"(?:this|these|the|our|your|all|any)(?: \w+)??"
_ELSEWHERE = r"(?:elsewhere|(?:to )?(?:another|a different) \w+)"

_WALK = wording(rf"""
    {_BE} (?:walking (?:away|out)|hanging up|logging off|signing off|withdrawing|quitting|pulling (?:out|the plug)|\
        outta here|out of here)\b
    {_BE}(?<! so) (?:walking|leaving|out|off|gone|through|finished|done)(?:{_END}|(?= and (?:i|we|you)\b))
    {_BE} leaving (?:now|this|(?:the|this) (?:table|talks|negotiation|conversation|call|office|program|room))\b
    {_BE} (?:done|finished|through) (?:here|talking|negotiating|bargaining|haggling|discussing|arguing|debating|\
        listening|trying|dealing|wasting|playing|for good)\b
    {_BE} (?:done|finished|through) with (?:you|this|these|your|all this|the (?:talks?|negotiat\w+|conversation|\
        program|discussion))\b
    {_BE} (?:pulling |backing )?out of (?:this(?:{_END})|(?:this|the) (?:{_TALKS}|deal))
    \b(?:take|strike|cross) (?:me|my name|us) off (?:your|the|this) \w+{_END}
    {_BE} (?:ending|closing|terminating|stopping|quitting|leaving|abandoning|breaking off|cutting off|\
        withdrawing from|dropping out of|pulling out of|exiting|hanging up on|walking out (?:of|on)|concluding|\
        calling off|dropping|cancell?ing) {_THESE} ?{_TALKS}
    {_BE} (?:ending (?:it|things|this)(?: here| now)?{_END}|breaking off (?:talks|negotiations?|contact|\
        discussions?)|giving up on (?:this|you|these|the)|calling (?:it|this) off|cutting (?:this|the|you) (?:short|\
        off))
    {_BE} (?:(?:taking|moving|transferring) (?:my|our) \w+|going|switching|transferring) {_ELSEWHERE}
    {_BE} (?:going to find|finding) (?:another|someone else|a different)
    {_BE} (?:switching|turning) (?:off )?(?:this|the|my) (?:radio|phone)
    {_BE} not (?:negotiat|talk|discuss|continu|listen|do|speak)ing\b[^,.;]{{0,40}} (?:again|any ?more|any longer|\
        any further|further)\b
    {_BE}[^,.;]{{1,60}} and (?:ending|closing|leaving|terminating) {_THESE} ?{_TALKS}
    {_BE}[^,.;]{{1,60}} and (?:hanging up|logging off|signing off|walking (?:away|out)|leaving{_END})
    {_BE} no longer (?:negotiating|interested|willing to)
    {_DO} (?:walk(?:ing)? (?:away|out)|break(?:ing)? off|withdraw(?:ing)?|quit|hang(?:ing)? up|pull out|\
        leave (?:now|the table)|give up on (?:this|you|these|the)|find (?:another|someone else|a different)|want out|\
        rest my case)\b
    {_DO} (?:(?:take|taking) (?:my|our) \w+|go(?:ing)?|look(?:ing)?) {_ELSEWHERE}
    {_DO} (?:end|clos|stop|terminat|break off|conclud|leav|abandon|exit|cut off|call off|suspend)(?:e|\
        ing)? {_THESE} ?{_TALKS}
    {_DO} (?:refus(?:e|ing)|(?:am|are) refusing) to (?:negotiate|talk|continue|discuss|speak|go on)\b
    \b(?:i|we) won't (?:be )?(?:negotiat|talk|discuss|continu|speak|listen)\w*(?: \w+){{0,2}} (?:any ?more|\
        any longer|any further|further|again|this)\b
    \b(?:the|this|these|our|all)(?: further| whole)? {_TALKS}(?: between us| with you)? (?:is|are|has|have|ends?|\
        stops?)(?: now| hereby| officially| been| come)* ?(?:over|finished|ended|closed|terminated|done|dead|to an end|\
        failed|broken down|off|concluded|at an end|here|now|cancelled|called off)\b
    \b(?:there(?:'s| is)|we have|i have|i've got|we've got) (?:nothing|no more|no point)(?: (?:more|left|further|\
        else|for us))* (?:to (?:discuss|talk about|say|negotiate|add)|(?:in )?(?:continuing|talking|going on|\
        discussing|negotiating))\b
    (?:^|[,;:-] |\b(?:so|and|then|now|well|ok|okay) )(?:good-?bye|good bye|bye|bye-bye|farewell|so long|\
        adios)(?= ?(?:$|[.,!;]|- |(?:then|and|to you|for good|forever)\b))
    (?:^|[,;:-] |\b(?:so|and|then|please) )(?:go )?find (?:yourself )?(?:another|someone else|somebody else|\
        a different)\b
    \b(?:talks|negotiations?|deal|all bets) (?:are|is) off\b|\bsee you in court\b
    \b(?:do not|don't)(?: ever| bother)? (?:call|contact|message|text|radio|bother)(?:ing)? (?:me|us) (?:again|\
        anymore|ever|any more)
    \b(?:do not|don't) bother (?:calling|writing|coming|answering|replying)(?: me)?(?: back| again)?{_END}
    \b(?:do not|don't) (?:call|text|write|radio|contact)(?: me)? (?:back|again){_END}
    ^no more (?:talk(?:s|ing)?|negotiat\w+|discussions?|bargaining){_END}
    ^no deal, (?:and )?not (?:now|today|ever)\b|\bforget (?:the whole|this whole|the entire) (?:thing|deal){_END}
    ^(?:over and out|end of (?:conversation|negotiation)|conversation over|negotiation over|count me out|\
        meeting adjourned|this is (?:over|goodbye)){_END}
    ^(?:it's|it is|we're|i'm) (?:over|finished)(?: between us)?{_END}|^(?:i quit|i give up){_END}|\bthat's it, i'm out\b
    \bconsider (?:this|these|our|the) (?:\w+ )?(?:closed|over|ended|terminated|finished)\b
    \b(?:we part|parting) ways\b|\bwash(?:ing)? (?:my|our) hands of\b|\bwant nothing more to do with\b
""")
_HINT = wording(
    """
    walk|leav|hang|log|sign|withdraw|quit|pull|out|off|gone|through|finish|done|end|clos|terminat|stop|abandon|break|cut
    exit|conclud|cancel|call|drop|elsewhere|another|different|someone|somebody|switch|turn|any ?more|any longer
    further|again
    refus|over|dead|fail|nothing|no more|no point|no longer|bye|good|farewell|so long|adios|court|part|wash|want|rest my
    suspend|giv|mov|transfer|going|consider|count me|meeting|no deal|forget
""",
    r"\b",
)
_MAYBE = wording(
    r"""
    if|unless|or|otherwise|when|until|whenever|next time|one more|another|any more|again and|try(?: me)?|push me|keep
    as soon as
    once|either|last chance|in case|without
""",
    r"\b",
    r"\b",
)
_NOT_SO = wording(
    r"""
    could|might|may|would|before|rather|about to|close to|ready|prepared|tempted|inclined|considering|thinking
    threaten\w*|afraid
    hope|wish|risk|told (?:me|us)|want(?:ed)? (?:me )?to|(?:do not) (?:make|force|let)
    you (?:said|say|told|want|think|claim|keep)
    they|he|she|never|not|than|whether|why|who|nearly|almost|\w+n't
""",
    r"\b",
    r"\b(?:(?! and (?:i|we)\b)[^,;])*$",
)
_MAYBE_AFTER = wording(r"\b(?:if|unless|until|or (?:you|we|i)|when you)\b|^[^,;.]*\btomorrow\b")


_FAREWELL = wording(
    "good-?bye|good bye|bye(?:-bye)?|farewell|so long|adios", r"^(?:\w+,? )?", r"(?: then| and good luck)?[.!]*$"
)


def is_farewell(sentence: str) -> bool:
    """Whether the sentence only says goodbye, which ends the talks unless it is all, or goes with an offer."""
    return _FAREWELL.search(sentence) is not None


def walks(sentence: str) -> bool:
    """Whether the sentence ends the talks now."""
    if sentence.endswith("?") or not _HINT.search(sentence) or is_farewell(sentence):
        return False
    match = _WALK.search(sentence)
    if match is None:
        return False
    before, after = sentence[max(0, match.start() - 80) : match.start()], sentence[match.end() : match.end() + 60]
    doubt = _MAYBE.search(before) or _NOT_SO.search(before + match[0][0]) or _MAYBE_AFTER.search(after)
    return not (doubt or priced(before))
