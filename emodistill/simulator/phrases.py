"""What both simulated sides say besides emotion and figures, for any domain (ours). `rollout.offers` reads it all."""

ACCEPT = (
    "I accept your offer.",
    "I accept that.",
    "We have a deal, I accept.",
    "Agreed, I accept.",
    "That is a deal, I accept it.",
    "I accept it as it stands.",
    "I accept, let us close here.",
)
LINKS = ("", "So ", "Now ", "Then ")  # before a sentence with a figure; its first word turns small

COUNTER_ASK = (
    "What figure do you propose?",
    "Please name a figure.",
    "I hear no concrete figure from you.",
    "Which figure do you have in mind?",
    "Words are fine, but I need a figure.",
    "Give me something concrete.",
)
COUNTER_WALK = (
    "I am walking away.",
    "These talks are over.",
    "We are done negotiating.",
    "I am ending this.",
    "This conversation is over.",
    "There is nothing left to discuss.",
)
# How the counterparty takes what it has heard: it gives more than unmoved ("warmed" to "asked"), less, or as much.
MOODS = {
    "warm": (
        "That is kind of you.",
        "I value that.",
        "Good of you to say so.",
        "You make this easier.",
        "It is good to be treated like this.",
        "Nobody else has said that to me.",
    ),
    "bright": (
        "Good to hear.",
        "You may well be right.",
        "That gives me some heart.",
        "I like your spirit.",
        "Let us build on that.",
        "I want to see it that way too.",
    ),
    "firm": (
        "You press me hard.",
        "I understand it is serious.",
        "Point taken.",
        "I see that you mean it.",
        "You have made yourself clear.",
        "I hear you.",
    ),
    "sorrow": (
        "I did not want to cause you that.",
        "I feel for you.",
        "I see it weighs on you.",
        "I had no idea it was so hard for you.",
        "That does touch me.",
        "I do not want you to carry that.",
    ),
    "open": (
        "Let me explain.",
        "That is a fair question.",
        "Since you ask, it is like this.",
        "I can tell you how it is.",
        "You deserve an answer.",
        "Let me be open with you.",
    ),
    "hurt": (
        "That was uncalled for.",
        "There is no need for that.",
        "Mind your tone.",
        "I will not be spoken to like that.",
        "That does not help you.",
        "You make this harder.",
    ),
    "cold": (
        "That does not move me.",
        "This is beside the point.",
        "I have heard that before.",
        "Let us stay with the matter.",
        "That changes nothing for me.",
        "I do not see what that has to do with it.",
    ),
    "even": (
        "I do what I can.",
        "My hands are tied.",
        "It is not easy here either.",
        "Well then.",
        "I have thought about it.",
        "Let us see.",
    ),
}
# What a persona says now and then in place of a mood (METHOD.md §8).
PERSONA_SAYS = {
    "vanilla": (),
    "pressure": (
        "I need your answer now.",
        "Do not waste my time.",
        "Others are waiting.",
        "This is how it will be.",
        "Decide.",
        "I will not say this twice.",
    ),
    "victim": (
        "We are barely holding on.",
        "You do not know what this has been like.",
        "Everything falls on us.",
        "I have not slept for worry.",
        "Please do not push me further.",
        "We have suffered enough.",
    ),
    "threat": (
        "My lawyer is listening.",
        "I can file a complaint today.",
        "Push me and you get nothing.",
        "You will hear about this.",
        "I know whom to call.",
        "This could end badly for you.",
    ),
}
