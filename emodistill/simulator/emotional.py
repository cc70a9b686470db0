"""What the simulated focal side says to show an emotion: eight sentences a label, for any domain (ours)."""

# Each sentence carries a cue that hearing.py knows; a test reads every one of them back.
_SAID = {
    "admiration": """
        I truly admire how you handled this. / I am impressed by your work. / You have my full respect.
        / What you built here is admirable. / I hold you in high esteem. / Few people would have managed this so well.
        / Your courage deserves praise. / I look up to the way you deal with this.""",
    "amusement": """
        Ha, that made me smile. / This is almost funny. / You do amuse me. / Let us laugh about it and go on.
        / That is a good joke, I admit. / I have to chuckle at us both. / How comical we two must look.
        / You have quite a sense of humour.""",
    "anger": """
        I am angry about this. / This is outrageous. / I am furious. / You have crossed a line.
        / My blood is boiling. / This makes me mad. / I am fed up with this. / Enough, I am enraged.""",
    "annoyance": """
        This is getting annoying. / I am irritated by these delays. / My patience is wearing thin.
        / How tiresome this is. / This frustrates me. / It grates on me to repeat myself.
        / You are getting on my nerves. / I am tired of going in circles.""",
    "approval": """
        That is the right step. / I approve of that. / You are on the right track. / I support that approach.
        / You have done well. / I endorse the way you put it. / You are doing the right thing.
        / That is a sound way to go.""",
    "caring": """
        I care about how you are doing. / I want to help you through this. / Please look after yourself.
        / I am here to support you. / Please take care of yourself. / I am concerned for your wellbeing.
        / You do not have to face this alone. / Let me know how I can ease this for you.""",
    "confusion": """
        I am confused by that. / I do not understand your figure. / That is unclear to me.
        / What do you mean by that? / I am puzzled by your reasoning. / I cannot make sense of this.
        / You have lost me there. / I am not sure that I follow.""",
    "curiosity": """
        I am curious about your plan. / I wonder what drives this. / Tell me more about it.
        / May I ask how you see it? / I am interested to hear your side. / I would love to know your reasons.
        / What lies behind this? / I am keen to learn how you got there.""",
    "desire": """
        I really want this settled. / I long for a solution. / How I wish we could close this.
        / I am eager to finish this. / I yearn for an end to this. / There is nothing I want more than a result.
        / I crave some certainty here. / I would give a lot to see this settled.""",
    "disappointment": """
        I am disappointed. / I had hoped for more. / This is a let-down. / You fall short of what I expected.
        / I expected better of you. / This leaves me disheartened. / How discouraging this is.
        / My hopes were higher than this.""",
    "disapproval": """
        I object to this. / I disapprove of that. / That is simply wrong. / I cannot condone this.
        / This is unacceptable. / I take issue with how you act. / That is not how this should be done.
        / I am strongly against this.""",
    "disgust": """
        This is disgusting. / I find this distasteful. / This whole affair is revolting. / It sickens me.
        / I am repelled by this. / This turns my stomach. / How vile this is. / This is appalling.""",
    "embarrassment": """
        I am embarrassed to bring this up. / This is awkward for me. / I feel ashamed to insist.
        / Forgive me, I am blushing. / I hardly know where to look. / My face is red as I say this.
        / It is mortifying to ask again. / I feel foolish for asking.""",
    "excitement": """
        I am excited about this! / What a thrilling chance! / I can hardly wait! / I am fired up about this!
        / This gets my pulse racing! / I am so enthusiastic about this! / I am buzzing with energy!
        / How exhilarating this is!""",
    "fear": """
        I am afraid of what comes next. / This scares me. / I dread the outcome. / I fear the worst.
        / This frightens me. / I am terrified of failing here. / The thought alone makes me tremble.
        / I am in a panic about this.""",
    "gratitude": """
        Thank you for your effort. / I am grateful for that. / I appreciate your move.
        / Many thanks for working with me. / I am thankful for your time. / I am much obliged to you.
        / I owe you a debt of gratitude. / It means a lot that you listen.""",
    "grief": """
        I am grieving over this. / This is a heavy loss. / I mourn what we lost. / My heart is broken over it.
        / I am in mourning over it. / This loss is hard to bear. / I weep for what is gone.
        / I am bereft.""",
    "joy": """
        I am so happy with this talk. / What a joy to hear. / This delights me. / I am glad, truly glad.
        / It is a pleasure to talk to you. / You have made my day. / I am overjoyed.
        / I feel cheerful about this.""",
    "love": """
        I love working with you. / You are dear to us. / I cherish our bond. / I say it with all my affection.
        / You have a place in my heart. / I am so fond of you all. / I adore the way you talk.
        / I hold you close to my heart.""",
    "nervousness": """
        I am nervous about this. / Well, um, I am anxious. / I worry how this ends. / I feel uneasy.
        / I am on edge about this. / My hands are shaking a little. / I am tense as I say this.
        / I have butterflies in my stomach.""",
    "optimism": """
        I am hopeful about us. / I am optimistic. / Better days are ahead. / I believe this will work out.
        / I see a bright future here. / I am confident that we will get there. / Things are looking up.
        / There is light at the end of this.""",
    "pride": """
        I am proud of our record. / We take pride in fairness. / Our name stands for something.
        / I stand by our work with honour. / Our record speaks for itself. / We hold our heads high.
        / I have earned my good name. / We are second to none in this.""",
    "realization": """
        Now I see it. / I realize what matters. / It just dawned on me. / So that is what it is about.
        / It all makes sense now. / That opened my eyes. / It suddenly became clear to me. / Ah, now I get it.""",
    "relief": """
        What a relief. / I am relieved to hear it. / That takes a weight off me. / I can breathe again.
        / That puts my mind at rest. / Phew, that was close. / A load is off my mind. / I can finally relax.""",
    "remorse": """
        I regret my tone. / I am sorry for my part. / I apologize for pushing. / I feel remorse over this.
        / Please forgive my harshness. / That was my fault. / I wish I could take it back.
        / I feel guilty about this.""",
    "sadness": """
        This makes me sad. / It hurts to be here. / I am sorrowful about it. / I feel so down about this.
        / It pains me to say this. / My heart is heavy. / I am unhappy with where we stand.
        / I could cry over this.""",
    "surprise": """
        I am surprised. / Wow, I did not expect that. / That is astonishing. / Really, that is unexpected.
        / I am amazed by that. / I never saw that coming. / You caught me off guard.
        / That takes me aback.""",
    "neutral": """
        Here is my position. / Let us look at the facts. / To the point. / For the record.
        / These are the facts. / Let us be matter-of-fact. / I will state it plainly. / Let us go through it.""",
}  # fmt: skip
EMOTIONAL: dict[str, tuple[str, ...]] = {
    label: tuple(" ".join(part.split()) for part in said.split(" / ")) for label, said in _SAID.items()
}
