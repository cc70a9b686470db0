import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.recipes import Recipe, SelectorRecipe

from builders import PROPERTY

SIGNALS = st.sampled_from([None, "judge", "outcome", "hybrid"])
DOMAINS = st.sampled_from([None, "crad", "toy-domain_2"])


@PROPERTY
@given(st.builds(Recipe, st.sampled_from(["emotion", "emotion-free"]), DOMAINS, SIGNALS, SIGNALS))
def test_a_task_names_its_recipe_and_shares_the_adapter_that_jpo_starts_from(recipe):
    assert Recipe.of(recipe.jpo_task) == recipe
    assert Recipe.of(recipe.sft_task) == Recipe(recipe.prompts, recipe.domain, recipe.sft_signal)
    assert not set(recipe.jpo_task) & set("/\\ :*?")


@PROPERTY
@given(st.builds(SelectorRecipe, DOMAINS, SIGNALS))
def test_a_selectors_task_names_its_recipe(recipe):
    assert SelectorRecipe.of(recipe.task) == recipe


def test_names_of_old_and_what_is_none():
    assert (Recipe().jpo_task, Recipe("emotion-free").sft_task, SelectorRecipe().task) == (
        "emotion", "emotion-free", "selector"
    )  # fmt: skip
    assert Recipe.of("alol") == Recipe(alol=True) and Recipe(alol=True).sft_task == "emotion"
    for name in ("", "feeling", "emotion.sft-luck", "emotion@", "emotion.jpo-judge.sft-judge"):
        with pytest.raises(ValueError):
            Recipe.of(name)
