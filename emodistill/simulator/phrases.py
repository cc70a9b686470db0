"""What the simulated negotiators say: emotional phrases by label, offer sentences, reasons (ours)."""

# Each phrase carries at least one cue that hearing.py knows; a test reads every one of them back.
EMOTIONAL: dict[str, tuple[str, ...]] = {
    "admiration": (
        "I truly admire how you handled this.",
        "I am impressed by your work.",
        "You have my full respect.",
        "What you built is admirable.",
    ),
    "amusement": (
        "Ha, that made me smile.",
        "This is almost funny.",
        "You do amuse me.",
        "Let us laugh about it and go on.",
    ),
    "anger": ("I am angry about this.", "This is outrageous.", "I am furious.", "You have crossed a line."),
    "annoyance": (
        "This is getting annoying.",
        "I am irritated by these delays.",
        "My patience is wearing thin.",
        "How tiresome this is.",
    ),
    "approval": (
        "That is the right step.",
        "I approve of that.",
        "You are on the right track.",
        "I support that approach.",
    ),
    "caring": (
        "I care about how you are doing.",
        "I want to help you through this.",
        "Please look after yourself.",
        "I am here to support you.",
    ),
    "confusion": (
        "I am confused by that.",
        "I do not understand your figure.",
        "That is unclear to me.",
        "What do you mean by that?",
    ),
    "curiosity": (
        "I am curious about your plan.",
        "I wonder what drives this.",
        "Tell me more about it.",
        "May I ask how you see it?",
    ),
    "desire": (
        "I really want this settled.",
        "I long for a solution.",
        "How I wish we could close this.",
        "I am eager to finish this.",
    ),
    "disappointment": (
        "I am disappointed.",
        "I had hoped for more.",
        "This is a let-down.",
        "You fall short of what I expected.",
    ),
    "disapproval": ("I object to this.", "I disapprove of that.", "That is simply wrong.", "I cannot condone this."),
    "disgust": ("This is disgusting.", "I find this distasteful.", "This whole affair is revolting.", "It sickens me."),
    "embarrassment": (
        "I am embarrassed to bring this up.",
        "This is awkward for me.",
        "I feel ashamed to insist.",
        "Forgive me, I am blushing.",
    ),
    "excitement": (
        "I am excited about this!",
        "What a thrilling chance!",
        "I can hardly wait!",
        "This is so exciting!",
    ),
    "fear": ("I am afraid of what comes next.", "This scares me.", "I dread the outcome.", "I fear the worst."),
    "gratitude": (
        "Thank you for your effort.",
        "I am grateful for that.",
        "I appreciate your move.",
        "Many thanks for working with me.",
    ),
    "grief": (
        "I am grieving over this.",
        "This is a heavy loss.",
        "I mourn what we lost.",
        "My heart is broken over it.",
    ),
    "joy": ("I am so happy with this talk.", "What a joy to hear.", "This delights me.", "I am glad, truly glad."),
    "love": ("I love working with you.", "You are dear to us.", "I cherish our bond.", "With all my affection."),
    "nervousness": ("I am nervous about this.", "Well, um, I am anxious.", "I worry how this ends.", "I feel uneasy."),
    "optimism": (
        "I am hopeful about us.",
        "I am optimistic.",
        "Better days are ahead.",
        "I believe this will work out.",
    ),
    "pride": (
        "I am proud of our record.",
        "We take pride in fairness.",
        "Our name stands for something.",
        "I stand by our work with honour.",
    ),
    "realization": (
        "Now I see it.",
        "I realize what matters.",
        "It just dawned on me.",
        "So that is what it is about.",
    ),
    "relief": ("What a relief.", "I am relieved to hear it.", "That takes a weight off me.", "I can breathe again."),
    "remorse": (
        "I regret my tone.",
        "I am sorry for my part.",
        "I apologize for pushing.",
        "I feel remorse over this.",
    ),
    "sadness": ("This makes me sad.", "It hurts to be here.", "I am sorrowful about it.", "I feel so down about this."),
    "surprise": (
        "I am surprised.",
        "Wow, I did not expect that.",
        "That is astonishing.",
        "Really? That is unexpected.",
    ),
    "neutral": ("Here is my position.", "Let us look at the facts.", "To the point.", "For the record."),
}

ACCEPT = ("I accept your offer.", "I accept that.", "We have a deal, I accept.")

COUNTER_ASK = ("What number of days do you propose?", "Please name a figure.", "I hear no concrete figure from you.")
COUNTER_WALK = ("I am walking away.", "These talks are over.", "We are done negotiating.")
MOODS = {
    "warmed": ("That is kind of you.", "I value that.", "Good to hear."),
    "pressed": ("You press us hard.", "I understand it is serious.", "Point taken."),
    "hurt": ("That was uncalled for.", "There is no need for that.", "Mind your tone."),
    "moved": ("I did not want to cause you that.", "I feel for you.", "I see it weighs on you."),
    "even": ("Our cash flow is weak.", "Business is slow.", "We do what we can."),
}
