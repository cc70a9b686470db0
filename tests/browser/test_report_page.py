"""report.html as people use it: a scripted run's page in a real Chromium, by mouse, keyboard and screen reader."""

import json
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from emodistill.ledger import Ledger
from emodistill.report.build import draw_figures, report, write_tables
from emodistill.report.dialogues import Source, gather
from emodistill.report.html import render
from emodistill.report.page_of import TRAINING, page_of
from emodistill.shards import EPISODES, read_records

from browsing import sized, spoken, until
from scripted_run import scripted_run

HOSTILE = "</script><script>document.title='broken'</script><!-- <img src=x onerror=\"document.title='broken'\">"
PHONE = 360


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """With a scenario whose facts are an attack, and the costs that `emodistill cost` would have written."""
    made = scripted_run(
        tmp_path_factory.mktemp("browser") / "run", "scenarios.domains=[crad, hospital]", "scenarios.held_out=4",
        "negotiation.max_messages=12", "evaluate.variants=[vanilla-slm, iql-only, full]", "evaluate.seeds=8",
        "evaluate.tournament=[vanilla-slm, full]",
    )  # fmt: skip
    first, *others = made.scenarios().values()
    made.write_scenarios((replace(first, facts=((HOSTILE, HOSTILE), *first.facts)), *others))
    stage = {"jobs": 2, "stays": 3, "median_s": 60.0, "longest_s": 90.0, "cpu_efficiency": 0.5, "core_hours": 1.5,
             "gpu_hours": 0.25}  # fmt: skip
    told = {"stages": {"rollout": stage}, "total": stage, "at": "2026-01-02 03:04:05"}
    made.path("cost.json").write_text(json.dumps(told))
    return made


@pytest.fixture(scope="session")
def page(run) -> Path:
    report(run, run.config())
    return run.path("report.html")


@pytest.fixture
def opened(window, page):
    window.get("about:blank")
    window.get(page.as_uri())
    return window


def find(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css)


def texts(driver, css):
    return driver.execute_script("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", css)


def choose(driver, name, text):
    select = Select(find(driver, f"#filters [name={name}]"))
    select.select_by_visible_text(next(o.text for o in select.options if o.text.startswith(text)))


def active(driver):
    return driver.switch_to.active_element


def wider_than_the_window(driver):
    return driver.execute_script("return document.documentElement.scrollWidth - innerWidth") > 0


def test_summary_says_what_is_simulated_and_what_the_paper_found(opened):
    assert "Simulated teacher, counterparty, judge" in find(opened, ".badge").text
    summary = find(opened, "#summary").text
    for words in ("72.2", "Qwen2.5-7B-Instruct", "no person took part", "extract value", "technical error", "n = "):
        assert words in summary
    assert "1.50" in find(opened, "#cost").text and "2026-01-02" in find(opened, "#cost").text
    assert {"torch", "numpy"} <= set(texts(opened, "#provenance tbody th"))
    assert "max_messages: 12" in opened.execute_script("return document.querySelector('pre').textContent")
    drawn = opened.execute_script("return [...document.querySelectorAll('#figures svg')].map(e => e.ariaLabel)")
    assert len(drawn) == 6 and all(drawn)


def test_a_click_on_a_heading_sorts_by_value_and_again_the_other_way(opened):
    [utility] = [b for b in opened.find_elements(By.CSS_SELECTOR, "#tables .sheet:first-of-type thead button")
                 if b.text == "utility"]  # fmt: skip
    orders = []
    for _ in range(2):
        utility.click()
        cells = texts(opened, "#tables .sheet:first-of-type tbody td:nth-child(4)")
        orders.append([float(cell.split()[0]) for cell in cells])
    assert orders[0] == sorted(orders[0]) and orders[1] == sorted(orders[0], reverse=True) and len(set(orders[0])) > 1
    assert utility.find_element(By.XPATH, "..").get_attribute("aria-sort") == "descending"


def test_filters_narrow_the_list_and_are_announced(opened):
    choose(opened, "cell", "full (")
    choose(opened, "outcome", "agreement")
    choose(opened, "order", "best")
    listed = texts(opened, "#list tbody td:nth-child(2)")
    assert listed and set(listed) == {"agreement"}
    savings = [int(cell) for cell in texts(opened, "#list tbody td:nth-child(4)")]
    assert savings == sorted(savings, reverse=True)
    status = find(opened, "#status")
    assert "dialogues match" in status.text and status.get_attribute("aria-live") == "polite"
    choose(opened, "scenario", "hospital-0006")
    assert all(name.startswith("hospital-0006") for name in texts(opened, "#list tbody th"))


def test_a_dialogue_shows_what_the_shard_holds(opened, run):
    choose(opened, "cell", TRAINING)
    find(opened, "#list tbody button").click()
    until(lambda: find(opened, "#dialogue-title").text.startswith(TRAINING))
    name, rollout = find(opened, "#dialogue-title").text.removeprefix(f"{TRAINING}: ").split(" #")
    episodes = read_records(sorted(run.path("rollout").glob("*.h5")), EPISODES)
    [episode] = [e for e in episodes if (e.scenario_id, e.rollout) == (name, int(rollout))]
    assert texts(opened, ".messages .said") == [turn.utterance for turn in episode.turns]
    assert texts(opened, ".messages .emotion") == [f"shows {turn.emotion}" for turn in episode.focal_turns()]
    told = texts(opened, ".messages .figures")
    assert all("judge" in line and "reward" in line for line in told[::2])
    assert f"offers {episode.turns[0].reading.offer:g} days" in told[0]
    assert texts(opened, "#dialogue > dl dt") == ["Outcome", "Target, creditor", "Target, debtor", "Return R"]


def test_a_scenario_that_attacks_is_read_as_words(opened, run):
    choose(opened, "cell", TRAINING)
    choose(opened, "scenario", next(iter(run.scenarios())))
    find(opened, "#list tbody button").click()
    until(lambda: HOSTILE in texts(opened, "#dialogue details dd"))
    assert opened.title != "broken" and not opened.find_elements(By.TAG_NAME, "img")


def test_the_keyboard_reaches_and_reads_everything(opened):
    active(opened).send_keys(Keys.TAB)
    assert active(opened).text == "Skip to the report" and active(opened).is_displayed()
    outline = opened.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    first, second = opened.find_elements(By.CSS_SELECTOR, "#list tbody button")[:2]
    first.send_keys(Keys.ARROW_DOWN)
    assert active(opened) == second
    name = second.text
    second.send_keys(Keys.ENTER)
    until(lambda: active(opened).get_attribute("id") == "dialogue-title" and name in active(opened).text)
    active(opened).send_keys(Keys.TAB)
    assert active(opened).text == "Previous"
    active(opened).send_keys(Keys.TAB, Keys.TAB)
    assert active(opened).tag_name == "select"  # the same negotiation by another variant
    heading = find(opened, "#tables thead button")
    heading.send_keys(Keys.SPACE)
    assert heading.find_element(By.XPATH, "..").get_attribute("aria-sort") == "ascending"


def test_a_negotiation_is_compared_between_variants_and_an_address_leads_back_to_it(opened, page):
    find(opened, "#list tbody button").click()
    until(lambda: opened.find_elements(By.CSS_SELECTOR, ".same select"))
    before = find(opened, "#dialogue-title").text
    other = before.replace("vanilla-slm", "full")
    assert other != before
    Select(find(opened, ".same select")).select_by_visible_text("full")
    until(lambda: find(opened, "#dialogue-title").text == other)
    address = opened.current_url
    find(opened, ".moves button:nth-child(2)").click()
    until(lambda: opened.current_url != address)
    assert find(opened, "#dialogue-title").text != other
    opened.get("about:blank")
    opened.get(address)
    until(lambda: find(opened, "#dialogue-title").text)
    assert find(opened, "#dialogue-title").text == other


def test_everything_has_a_name_and_a_place(opened):
    """What a screen reader goes by."""
    found = opened.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    nodes = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in found if not n["ignored"]]
    roles = {role for role, _ in nodes}
    assert {"banner", "main", "navigation", "search", "status", "contentinfo", "article"} <= roles
    nameless = [role for role, name in nodes if not name and role in
                {"button", "link", "combobox", "region", "table", "image", "img", "article"}]  # fmt: skip
    assert nameless == []
    levels = opened.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in pairwise(levels))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1280])
def test_it_fits_the_window_in_light_and_dark_and_on_paper(opened, width, scheme, tmp_path):
    sized(opened, width, scheme)
    find(opened, "#list tbody button").click()
    until(lambda: opened.find_elements(By.CSS_SELECTOR, ".messages li"))
    assert not wider_than_the_window(opened)
    colours = opened.execute_script(
        "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color].map(c => +c.match(/\\d+/)[0])"
    )
    assert (colours[0] < 64 < 192 < colours[1]) if scheme == "dark" else (colours[1] < 64 < 192 < colours[0])
    shot = tmp_path / "shot.png"
    assert opened.save_screenshot(str(shot)) and shot.stat().st_size > 10_000
    sized(opened, width, scheme, "print")
    assert not find(opened, "#filters").is_displayed() and find(opened, ".messages").is_displayed()
    paper = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"


def test_without_a_script_tables_and_figures_are_still_there(opened, page):
    opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened.get(page.as_uri())
        assert "72.2" in find(opened, "#summary").text and "JavaScript" in find(opened, "noscript").text
        assert not find(opened, "#browser").is_displayed()
    finally:
        opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_script_that_is_not_the_page_s_own_does_not_run(opened):
    directive = opened.execute_async_script("""
        const [done] = arguments;
        document.addEventListener("securitypolicyviolation", event => done(event.effectiveDirective));
        const script = document.createElement("script");
        script.text = "document.title = 'broken'";
        document.body.append(script);
    """)
    assert directive == "script-src-elem" and opened.title != "broken"
    assert len(opened.get_log("browser")) == 1  # Chromium tells it too


@pytest.mark.slow
def test_twenty_thousand_dialogues_open_filter_and_show_at_once(window, run, tmp_path):
    config = run.config()
    results, _ = write_tables(run, config)
    ledger = Ledger(run, config)
    made = page_of(run, config, ledger, results, draw_figures(run, config, ledger, results))
    scenarios = run.scenarios()
    cells = [Source(f"cell {k}", lambda k=k: (spoken(list(scenarios.values()), 5_000, k), {})) for k in range(4)]
    started = time.monotonic()
    large = replace(made, dialogues=tuple(gather(cells, scenarios, 16)))
    path = tmp_path / "report.html"
    path.write_text(render(large), encoding="utf-8")
    figures = {"written, s": time.monotonic() - started, "MB": path.stat().st_size / 1e6}
    assert sum(len(cell.rows) for cell in large.dialogues) == 20_000
    assert figures["MB"] < 30

    def timed(name, act, shown):
        began = time.monotonic()
        act()
        until(shown)
        figures[name] = 1000 * (time.monotonic() - began)

    timed("opened, ms", lambda: window.get(path.as_uri()), lambda: texts(window, "#list tbody th"))
    timed("filtered, ms", lambda: choose(window, "outcome", "timeout"),
          lambda: set(texts(window, "#list tbody td:nth-child(2)")) == {"timeout"})  # fmt: skip
    timed("shown, ms", lambda: find(window, "#list tbody button").click(), lambda: texts(window, ".messages li"))
    timed("another cell, ms", lambda: choose(window, "cell", "cell 3"),
          lambda: "of 5000" in find(window, "#status").text)  # fmt: skip
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))
    assert figures["opened, ms"] < 5000 and figures["filtered, ms"] < 1000 and figures["shown, ms"] < 1000
    assert window.execute_script("return document.querySelectorAll('*').length") < 10_000
