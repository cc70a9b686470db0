"""Figures that are not the speaker's own: the other side's, quoted or echoed, and figures spoken against."""

import re

from emodistill.rollout.reading.wording import group, wording

_ADVERBS = (
    r"(?: (?:have|had|just|already|keep|kept|are|were|was|originally|first|still|also|now|only|clearly|all|really"
    r"|obviously|initially|previously|yourself|always|once|even|did|do|might|may|again|so|then|both))*"
)
_SAY = group(r"""
    sa(?:y|id|ying)|ask(?:ed|ing)?|want(?:ed|ing)?|wish(?:ed)?|propos(?:e|ed|ing)|offer(?:ed|ing)?|quot(?:e|ed|ing)
    told|tell(?:ing)?
    suggest(?:ed|ing)?|mention(?:ed|ing)?|demand(?:ed|ing)?|insist(?:ed|ing)?|request(?:ed|ing)?|repeat(?:ed|ing)?
    need(?:ed|ing)?(?! to\b)|claim(?:ed)?|expect(?:ed|ing)?|nam(?:e|ed|ing)|counter(?:ed|ing)?|started|came|gave
    promis(?:ed|ing)|stuck|prefer(?:red)?|agreed|put|brought up|threw|(?:have|had) in mind|went|c[ao]me up with|jumped
    hoped|float(?:ed|ing)?
    push(?:ed|ing)(?! (?:me|us))|cited|like|love|opened|began|led|insist(?: on)?
""")
_PROPOSAL = group("""
    offer|proposal|request|demand|figure|number|ask|suggestion|idea|estimate|counter-?(?: ?offer| ?proposal)?|quote
    position
    preference|wish|target|bid|opening
""")
_LEAD = r"(?:about |around |just |only |those |these |that |another |full |the |some )*"
_WORD = r"(?!(?:is|are|was|will|at|for|to|in|by|within|with|and|than|from|of|on|after|back|out|up) )\w+"
_INVITED = ("if", "can", "could", "would", "will", "won't", "couldn't", "should", "why don't", "what do", "how do")
_OBJECT_OF = ("have", "had", "get", "got", "getting", "see", "want", "need", "keep")  # we get you scheduled within …
_NOT_INVITED = "".join(f"(?<!{words} )" for words in _INVITED)
_SUBJECT = "".join(f"(?<!{words} )" for words in (*_INVITED, *_OBJECT_OF))
_THEIRS = wording(rf"""
    (?<!\bin )(?<!\bgiven )\byour (?!team |crew |boss |manager |people |supervisor |\
        bank )(?:{_WORD} ){{0,2}}(?:{_WORD} of )?{_LEAD}$
    \byour (?:\w+ ){{0,2}}?{_PROPOSAL}(?: here)?(?: (?:is|was|were|stands|stood|to|at|for|of|that i|\
        that we)\b[^,;]{{0,24}}?|: ) ?$
    {_NOT_INVITED}(?<!hear )\byou(?:'ve|'re|'d| guys| people)?{_ADVERBS} {_SAY}\b(?:[^,;:]{{0,50}}|[^,;:]{{0,6}}: )$
    {_SUBJECT}\byou(?:'ve)?{_ADVERBS} \w+ed(?: back| up| down)? (?:to|at|on|for) $
    \byou(?:'ve| have){_ADVERBS} (?:\w+ed|gone|come|been|cut|let|made|given|set|put|taken)\b(?! (?:me|\
        us)\b)[^,;]{{0,40}}$
    \bif (?:i|we) (?:have to|must|had to|(?:am|are) forced to)\b(?! (?:name|pick|choose|put|give|say))[^,;]{{0,40}}$
    ^\W*(?:\w+,? ){{0,2}}why (?:only |exactly |is it |should (?:i|we) (?:\w+ )?|would (?:i|we) (?:\w+ )?)*$
    ^\W*(?:and |so |but |oh,? )?you (?:\w+ly )?(?:think|believe|call|consider|imagine)\b[^,;]{{0,40}}$
    \b(?:(?:are|were) you|do you|would you) (?:really|seriously|actually|honestly)\b[^,;]{{0,40}}$
    \b(?:who told you|(?:what|who) makes you think|what (?:\w+ ){{0,2}}makes(?= $)|do you have any idea (?:what|how)|\
        can you imagine)\b[^,;]{{0,40}}$
    \bdid i (?:\w+ )?(?:understand|hear|get|read)[^;]*$
    \bthe (?:first|last|other|previous|second) \w+ (?:said|told|promised|quoted)\b[^,;]{{0,40}}$
    \b(?:research|science|studies|experts|the data) (?:say|show|suggest|recommend|find)s?\b[^;]*$
    ^\W*how (?:(?:do|did|dare) you (?!feel|see|like|think|want|get|make|do\b)|many (?:\w+ )?times)[^,;]*$
    \byou (?:moved|pushed|bumped|delayed|put) (?:me|us)\b[^,;]*$
    \byou (?:dropping|moving|coming|lowering|raising|asking|saying|offering|wanting|pushing|insisting|\
        stretching)\b[^,;]{{0,30}}$
    \byou (?:to )?(?:move|get|come|step|shift|go) (?:away|off|down|up) from (?:the )?$
    \bif you (?:leave|make|force|keep) (?:me|us)\b[^,;]{{0,30}}$
    \byou\b[^#~]*[#~][^#~]*\bnow (?:it'?s|you)\b[^#~]*$
    \b(?:make|force)s? (?:me|us) (?:to )?(?:wait|sleep|go|pay|hold|stay|live|sit|turn|be)\b[^,;]{{0,30}}$
    \byou(?:'ve)? (?:keep|kept)(?: on)? \w+ing?\b[^,;]{{0,30}}$
    (?<!if )\byou(?:'re| are| were|'ve been){_ADVERBS} (?:at|on|stuck|firm)\b[^,;]{{0,12}}$
    \b(?:(?:quoted|told|promised) (?:me|us)|(?:was|were|been) (?:told|promised|\
        quoted)(?! (?:that )?(?:i|we) (?:can|could|may)))\b[^,;:]{{0,30}}$
    \byour (?:own )?(?:mother|mom|father|dad|kids?|child|daughter|son|wife|husband)\b[^,;]{{0,30}}$
    \b(?:telling|asking|expecting|forcing|making|pushing) (?:me|us) (?:to|for)\b[^,;]{{0,40}}$
    \b(?:they|he|she) \w+ed (?:my|his|her|their|someone|somebody|another)\b[^,;]{{0,30}}$
    \b(?:my|the|your)(?: \w+){{1,2}} (?:gave|promised) (?:me|us|you)\b[^,;]{{0,20}}$
    \b(?:they|he|she|(?:the )?other \w+)(?: \w+)? (?:said|told|quoted|offered|promised|wants?|wanted|\
        asked)\b[^,;]{{0,40}}$
""")
_FOR_THEM = wording(
    r"surgery|operation|payment|rescue|bedtime|slot|appointment|procedure|wait\w*|extension|balance|time|position|location",
    r"\byour (?:\w+ )?",
    "(?: (?:for|to|at|in)|:)? $",
)
_THEIRS_AFTER = wording(rf"""
    ^(?:,? (?:as|like|which|the \w+|that|is what|was what|(?:is|\
        was) the \w+(?: that)?)| {_PROPOSAL}(?: that)?| (?:plan|deadline)|) you(?:'ve|'re|'d)?{_ADVERBS} {_SAY}\b
    ^(?: \w+){{0,2}} of yours\b|^, you (?:say|said|tell me|told me)\b
    ^ (?:in|from|on) your (?:letter|e?mail|offer|proposal|message|note|last|first|opening|form|plan)\b
    ^,? (?:is|was) your\b|^ supposed to\b|^(?: (?:one|~) more time| another time| once more| again)\b
    ^['"]? (?:is|was) what (?:the|my|they|he|she|your)\b[^,;]{{0,30}} (?:told|said|quoted|promised)\b
    ^ if it (?:was|were) your\b|^ is what you(?:'re|'ve| are) (?:been )?(?:used|asking)\b
    ^ (?:might|may) (?:\w+ ){{1,2}}(?:to|for) you\b|^ (?:feels|seems|sounds|looks) \w+ to you\b
    ^,? as (?:proposed|requested|suggested)\b
""")
_WONDERS = wording(  # why does it have to be …? what happens after …?
    r"""
    why(?! (?:not|don't))|how come|how (?:is|was) it (?:that|possible|even|fair)
    what (?:happens|happened|would happen|will happen|if (?:i'm|we're|he's|she's) still)|who (?:came|decided|says)
    how long (?:has|have|had|did|was|were)|where (?:did|does)|when did
    """,
    r"^\W*(?:(?:and|but|so|oh|wait|well|sorry)\W+)*(?:",
    r")\b.*\?$",
)
_HEARD = re.compile(
    r"^\W*(?:(?:ok|okay|yes|right)\W+)?(?:i (?:hear|heard|understand|understood|get|got) you|understood|noted)[,:-]+ $"
)
_TAKEN = wording(  # I can live with your …
    r"""
    accept(?:ed|ing)?|tak(?:e|ing)|agree(?:d)? (?:to|on|with|upon)|(?:live|work) with
    (?:fine|ok(?:ay)?|good|happy|comfortable) with
    go(?:ing)? (?:along )?with
    deal (?:at|on|for|with)|settle (?:for|on|at)|match|meet|honou?r|grant|yes to|approve|manage|do
    handle
    sign(?: for| off on| up for)?|commit to|respect|stick to|shake on|agreeable to|(?:on board|content|satisfied) with
    confirm
    wait|hold(?: on| out)?|hang on|last|endure
""",
    r"\b",
    r"(?: for)? (?:your|the|those|that|these)(?: \w+){0,4}? ?$",
)
_ECHO = re.compile(
    r"^(?!.*\b(?:can|could|may|might|shall|should|would|will|is|are|do|does|how|what|let's|make|say|deal|ok|okay|please|maybe)\b)"
    r"[^#~]{0,24}(?:[#~][^#~\w]{1,8})?[#~][^#~]{0,30}\?$"
)
_REFUSES = wording(
    r"""
    (?:oh |please,? |come on,? |well,? |that'?s |it'?s |that is |this is )*(?:too|far|way|simply|just|absolutely|\
        impossible|absurd|ridiculous)\b
    (?:oh |well,? |that'?s |it'?s )*(?:unacceptable|out of the question|insane|crazy|hardly|unrealistic|unthinkable|\
        a joke|forget it|nonsense|madness)\b
    (?:for|with|after) (?:an?|my|the|one|some|this|that|his|her|a whole)\b[^#~]*\?$
    (?:i'm |i am )?sorry, but\b|do you (?:know|have any idea|reali[sz]e)\b|(?:and )?(?:what|how|who) am i supposed\b
    [^#~]*\b(?:hardly|barely)\b
    (?:are you|must be|you must be|what a|you try|try|easy for you|how (?:can|could|am|dare))\b
    [^#~]*(?:\b(?:dead|die[ds]?|kill\w*|joking|kidding|not|cannot|never|no|won't|refuse)\b|n't\b)
""",
    "^",
)
_WELCOMES = wording(
    "please|that|it|this|works?|final|offer|limit|promise|how about|deal|ok|okay|sure|fine|yes|agreed|possible|"
    "fair|reasonable|"
    "(?:could|can|would|will) (?:you|we|that|it)|(?:i|we)(?: can|'ll| could)(?! (?:barely|hardly|only)) \\w+",
    r"\b(?:",
    r")\b",
)


def theirs(before: str, head: str, after: str) -> bool:
    """Whether the figure between the texts is the other side's, and not taken up."""
    if _TAKEN.search(head):
        return False
    if _THEIRS_AFTER.search(after) or _WONDERS.search(before + after):
        return True
    if _HEARD.search(before) and not after.strip(" .!"):
        return True
    return _THEIRS.search(before) is not None and not _FOR_THEM.search(head)


def is_echo(sentence: str) -> bool:
    """Whether a sentence only repeats a figure with a question mark."""
    return _ECHO.search(sentence) is not None


def refuses_echo(sentence: str) -> bool:
    """Whether a sentence answers an echo before it (`90 days? Impossible.`) by anything but a welcome."""
    return _REFUSES.search(sentence) is not None or _WELCOMES.search(sentence) is None
