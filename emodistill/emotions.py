"""The emotion vocabulary and the one instruction template for all of it (METHOD.md §2).

Each emotion has a tone, what the words convey, and what the language does; a test keeps all instructions within
25 % of the median length, so that only content differs.
"""

# label: (tone, what the words convey, what the language does). Labels and order: GoEmotions (Demszky et al. 2020).
_MANNER: dict[str, tuple[str, str, str]] = {
    "admiration": ("respectful", "real esteem for them", "praise what they did"),
    "amusement": ("playful", "a light view of things", "smile at the moment"),
    "anger": ("heated", "that a line was crossed", "use short hard words"),
    "annoyance": ("irritated", "patience wearing thin", "note the bother"),
    "approval": ("affirming", "that this is right", "endorse their step"),
    "caring": ("gentle", "concern for their good", "offer your support"),
    "confusion": ("puzzled", "that this is unclear", "ask what they mean"),
    "curiosity": ("inquisitive", "interest in the reason", "ask to learn more"),
    "desire": ("eager", "how much you want this", "voice your wish"),
    "disappointment": ("let down", "hopes that were unmet", "name the shortfall"),
    "disapproval": ("critical", "that this is wrong", "object to it plainly"),
    "disgust": ("repelled", "that this is distasteful", "reject it sharply"),
    "embarrassment": ("awkward", "unease at your position", "admit the fluster"),
    "excitement": ("thrilled", "energy for a solution", "use lively words"),
    "fear": ("afraid", "dread of what may come", "name the danger"),
    "gratitude": ("thankful", "thanks for their effort", "thank them clearly"),
    "grief": ("mourning", "a deep and heavy loss", "speak of the loss"),
    "joy": ("happy", "delight in this exchange", "let gladness show"),
    "love": ("warm", "deep care for this bond", "speak with affection"),
    "nervousness": ("tense", "worry about the outcome", "hesitate a little"),
    "optimism": ("hopeful", "faith in a good result", "look to the future"),
    "pride": ("proud", "honour in your record", "stand by your work"),
    "realization": ("dawning", "that you now see it", "state the insight"),
    "relief": ("relieved", "that a weight is lifted", "breathe out in words"),
    "remorse": ("sorry", "regret for your own part", "say you regret it"),
    "sadness": ("sorrowful", "how much this hurts", "use quiet sad words"),
    "surprise": ("astonished", "that you did not expect it", "react with wonder"),
    "neutral": ("even", "facts and nothing more", "keep it plain"),
}
GOEMOTIONS: tuple[str, ...] = tuple(_MANNER)


def instruction(emotion: str) -> str:
    """The emotion block of a focal prompt; `KeyError` for a label outside the vocabulary."""
    tone, conveys, language = _MANNER[emotion]
    return f"[Show {emotion}: tone {tone}; convey {conveys}; {language}.]"
