import json

from jobs.bench.reference import keep, render

STORE = {
    "name": "store", "figures": {"written": 2.0, "peers": {"a|b": 1}}, "target": {"speed": "at least 3"},
    "target_met": {"speed": False}, "machine": {"cpu": "C", "cores": 2}, "versions": {"python": "3"},
}  # fmt: skip


def test_a_case_replaces_its_own_figures_and_no_others(tmp_path):
    keep(tmp_path, STORE)
    keep(tmp_path, {**STORE, "name": "rollout", "figures": {"ratio": 0.9}})
    keep(tmp_path, {**STORE, "figures": {"written": 4.0}, "target_met": {"speed": True}})
    kept = json.loads((tmp_path / "bench.json").read_text())
    assert list(kept) == ["rollout", "store"]
    assert kept["store"]["figures"] == {"written": 4.0} and kept["rollout"]["figures"] == {"ratio": 0.9}
    page = (tmp_path / "bench.md").read_text()
    assert page == render(kept)
    assert "| asked: speed: at least 3 | met |" in page and "| asked: speed: at least 3 | **not met** |" in page
    assert page.count("Not measured yet.") == page.count("\n## ") - 2


def test_a_bar_in_a_figure_does_not_end_its_cell():
    assert '| peers | {"a\\|b": 1} |' in render({"store": {**STORE, "date": "2026-01-01"}})
