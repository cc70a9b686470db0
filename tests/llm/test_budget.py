import json
import random
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.chat import token_ids
from emodistill.config import OpenAI
from emodistill.errors import RunFailed
from emodistill.llm.budget import Budget, at_most
from emodistill.llm.purse import Tokens

from builders import PROPERTY

CHATS = st.lists(
    st.tuples(st.sampled_from(("system", "user", "assistant")), st.text(max_size=80)), min_size=1, max_size=6
)


def budget(folder=None, **caps) -> Budget:
    return Budget(OpenAI(backend="openai", model="m", base_url="http://127.0.0.1:9/v1", **caps), folder)


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    """Byte by byte: no tokenizer makes more tokens."""
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(tiny_model)


@PROPERTY
@given(chat=CHATS)
def test_no_chat_has_more_tokens_than_is_set_aside_for_it(tokenizer, chat):
    most = at_most([content for _, content in chat], 7)
    assert len(token_ids(tokenizer, tuple(chat), generate=True)) <= most.prompt
    assert most.generated == 7


def test_what_is_set_aside_counts_until_what_was_used_takes_its_place():
    kept = budget(max_tokens_spent=100)
    kept.set_aside(Tokens(50, 20))
    assert kept.fits(Tokens(25, 5)) and not kept.fits(Tokens(25, 6)) and kept.in_flight == 1
    kept.settle(Tokens(50, 20), Tokens(40, 3))
    assert kept.fits(Tokens(50, 7)) and not kept.fits(Tokens(50, 8)) and kept.in_flight == 0


def test_money_is_counted_by_both_prices():
    kept = budget(max_usd=1.0, usd_per_million_prompt=2.0, usd_per_million_generated=10.0)
    assert kept.usd(Tokens(100_000, 20_000)) == pytest.approx(0.4)
    kept.set_aside(Tokens(100_000, 20_000))
    assert kept.fits(Tokens(300_000, 0)) and not kept.fits(Tokens(300_000, 1))
    assert str(kept) == "budget of 1 USD (max_usd) after 120,000 tokens and 0.4000 USD"


def test_without_a_cap_everything_fits():
    assert budget().fits(Tokens(10**12, 10**12))


def spend(folder, cap: int, seed: int) -> int:
    """A process that sends requests until its budget is spent; some cost less than was set aside for them."""
    draw, kept, used = random.Random(seed), budget(folder, max_tokens_spent=cap), 0
    while kept.fits(most := Tokens(draw.randint(1, 60), draw.randint(1, 9))):
        kept.set_aside(most)
        cost = Tokens(draw.randint(0, most.prompt), most.generated)
        kept.settle(most, cost)
        used += sum(cost)
    kept.close()
    return used


@pytest.mark.parametrize("cap", [50, 5_000])
def test_all_processes_of_a_run_share_one_cap_and_give_back_what_they_did_not_use(tmp_path, cap):
    with ProcessPoolExecutor(4) as pool:
        used = sum(pool.map(spend, [tmp_path] * 4, [cap] * 4, range(4)))
    assert 0 < used <= cap
    [purse] = tmp_path.glob("*.json")
    said = json.loads(purse.read_text())
    assert said["prompt_tokens"] + said["generated_tokens"] == used
    assert not budget(tmp_path, max_tokens_spent=cap).fits(Tokens(cap - used, 1))
    assert budget(tmp_path, max_tokens_spent=cap + 1).fits(Tokens(cap - used, 1))


def test_a_damaged_purse_spends_nothing(tmp_path):
    kept = budget(tmp_path, max_tokens_spent=100)
    assert kept.fits(Tokens(10, 1))
    [purse] = tmp_path.glob("*.json")
    purse.write_bytes(purse.read_bytes().replace(b'"prompt_tokens": ', b'"prompt_tokens": -'))
    with pytest.raises(RunFailed, match=r"is damaged .*: what was spent at http.* cannot be told"):
        budget(tmp_path, max_tokens_spent=100).fits(Tokens(10, 1))
