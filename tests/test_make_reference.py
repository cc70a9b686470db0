"""`make reference` on a small run: what is kept, what stays, and what is refused."""

from pathlib import Path

import pytest

from emodistill.errors import BadInput, RunFailed
from emodistill.execute import run_tasks
from jobs import reference
from jobs.reference import keep

from scripted_run import scripted_run

COMMAND = "emodistill run yaml/smoke.yaml"


def test_a_finished_run_is_kept_whole_and_notes_of_people_stay(tmp_path, monkeypatch):
    run, folder = scripted_run(tmp_path / "run"), tmp_path / "kept"
    with pytest.raises(BadInput, match=r"is not finished: tables\. Run it to its end first: emodistill run"):
        keep(run, folder, COMMAND)
    assert run_tasks(str(run.root), "tables", ["main"]).kind == "done" and not folder.exists()
    folder.mkdir()
    (folder / "NOTES.md").write_text("chosen by hand")
    (folder / "old.csv").write_text("of another run")
    kept = {path.name: path.read_bytes() for path in keep(run, folder, COMMAND)}
    marker = run.marker("tables", "main")
    made = {run.path(name).name: run.path(name).read_bytes() for name in marker.files}
    said = kept.pop("README.md").decode()
    assert kept == made | {"config.yaml": run.path("config.yaml").read_bytes(), "NOTES.md": b"chosen by hand"}
    for words in (COMMAND, "Simulated: teacher, counterparty, judge", "tiny-random", "| rollout | 2 | 48 |", "numpy 2"):
        assert words in said
    assert str(tmp_path) not in said and "is not kept here" not in said

    monkeypatch.setattr(reference, "PAGE_BYTES", 1000)
    small = {path.name for path in keep(run, folder, COMMAND)}
    assert (
        small == {*kept, "README.md"} - {"report.html"}
        and "MB and is not kept here" in (folder / "README.md").read_text()
    )
    run.path("tables", "main.csv").write_text("cut")
    with pytest.raises(RunFailed, match=r"tables/main\.csv: its checksum differs"):
        keep(run, folder, COMMAND)
    assert {path.name for path in folder.iterdir()} == small


def test_a_folder_of_this_machine_is_not_kept_in_public(tmp_path):
    page = tmp_path / "report.html"
    page.write_text(f"judge {Path.home()}/models/judge")
    with pytest.raises(BadInput, match="a folder of this machine"):
        reference._refuse_paths(page)
