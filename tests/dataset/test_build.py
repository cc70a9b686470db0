import numpy as np
import pytest

from emodistill.config import EMOTIONLESS
from emodistill.dataset.build import _dialogues, _scored
from emodistill.records import Style, Verdict
from emodistill.rollout.prompts import messages, reply_of, without_emotion

from builders import dialogue, episode, scenario

TURNS = dialogue(30, 110, 40, 100, 50, emotions=("joy", "anger", "fear"))
EPISODE = episode("timeout", None, TURNS)
SCORED = _scored(EPISODE, Verdict("e", *[((3.0,), (4.0,), (5.0,))] * 2), np.array([-1.0, 0.0, 1.0]), -2.0)


@pytest.mark.parametrize("layout", ["chat", "paper"])
@pytest.mark.parametrize("recipe", ["emotion", EMOTIONLESS])
def test_each_response_follows_the_very_prompt_of_its_rollout(layout, recipe):
    style = Style(layout=layout)
    turns = without_emotion(TURNS) if recipe == EMOTIONLESS else TURNS
    made = list(_dialogues(scenario(), EPISODE, SCORED, recipe, style))
    found = [(d.messages[: turn.message], d.messages[turn.message], turn.judge) for d in made for turn in d.turns]
    asked = [messages(scenario(), turns[:k], "focal", turns[k].emotion, style) for k in (0, 2, 4)]
    said = [("assistant", reply_of(turns[k], style)) for k in (0, 2, 4)]
    assert found == list(zip(asked, said, (3.0, 4.0, 5.0), strict=True))
    assert len(made) == {"chat": 1, "paper": 3}[layout]
    assert len({d.episode_id for d in made}) == len(made)
