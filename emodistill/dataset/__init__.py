"""From judged episodes to training data: rewards, states, transitions, dialogues."""
