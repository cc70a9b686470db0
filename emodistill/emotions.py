"""The emotion vocabulary and the one instruction template for all of it (METHOD.md §2).

Each emotion has a tone, what the words convey, and what the language does; a test keeps all instructions within
25 % of the median length, so that only content differs.
"""

# label: (tone, what the words convey, what the language does). Labels and order: GoEmotions (Demszky et al. 2020).
_MANNER: dict[str, tuple[str, str, str]] = {
    "admiration": ("respectful", "esteem for them", "praise what they did"),
    "amusement": ("playful", "a light view of it", "smile at the moment"),
    "anger": ("heated", "a line was crossed", "use short hard words"),
    "annoyance": ("irritated", "patience wearing thin", "note the bother"),
    "approval": ("affirming", "this is right", "endorse their step"),
    "caring": ("gentle", "concern for them", "offer your support"),
    "confusion": ("puzzled", "this is unclear", "ask what they mean"),
    "curiosity": ("inquisitive", "interest in why", "ask to learn more"),
    "desire": ("eager", "how you want this", "voice your wish"),
    "disappointment": ("let down", "hopes unmet", "name the shortfall"),
    "disapproval": ("critical", "this is wrong", "object to it plainly"),
    "disgust": ("repelled", "this is distasteful", "reject it sharply"),
    "embarrassment": ("awkward", "unease at asking", "admit the fluster"),
    "excitement": ("thrilled", "energy for a deal", "use lively words"),
    "fear": ("afraid", "dread of what comes", "name the danger"),
    "gratitude": ("thankful", "thanks for their effort", "thank them clearly"),
    "grief": ("mourning", "a deep heavy loss", "speak of the loss"),
    "joy": ("happy", "delight in this talk", "let gladness show"),
    "love": ("warm", "care for this bond", "speak with affection"),
    "nervousness": ("tense", "worry how this ends", "hesitate a little"),
    "optimism": ("hopeful", "faith in a good end", "look to the future"),
    "pride": ("proud", "honour in your record", "stand by your work"),
    "realization": ("dawning", "now you see it", "state the insight"),
    "relief": ("relieved", "a weight is lifted", "breathe out in words"),
    "remorse": ("sorry", "regret for your part", "say you regret it"),
    "sadness": ("sorrowful", "how this hurts", "use quiet sad words"),
    "surprise": ("astonished", "you did not expect it", "react with wonder"),
    "neutral": ("even", "plain facts only", "keep it plain"),
}
GOEMOTIONS: tuple[str, ...] = tuple(_MANNER)


def instruction(emotion: str) -> str:
    """The emotion block of a focal prompt; `KeyError` for a label outside the vocabulary."""
    tone, conveys, language = _MANNER[emotion]
    return f"[Show {emotion}: {tone}; convey {conveys}; {language}.]"
