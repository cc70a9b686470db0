"""The judge: an LLM, or its scripted twin, scores each focal utterance (METHOD.md §4)."""
