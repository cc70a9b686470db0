"""Reading words without a model: text to sentences, sentences to figures, figures and phrases to moves (ours)."""
