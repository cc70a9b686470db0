"""Two agents bargain: prompts, offers read from text, the rules of agreement, and the streaming engine."""
