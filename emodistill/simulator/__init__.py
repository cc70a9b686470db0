"""The scripted twin: both negotiators and the judge without a model, with planted and documented effects of emotion.

It speaks in templates and hears only words: `hearing` infers the emotion and `rollout.offers` the figure, never from an
instruction. Everything made with it is labelled simulated.
"""
