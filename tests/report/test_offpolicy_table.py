from emodistill.evaluate.offpolicy import Evaluated
from emodistill.report.latex import latex_of
from emodistill.report.offpolicy import off_policy_figures, off_policy_sheet
from emodistill.report.sheet import csv_of, markdown_of
from emodistill.report.statistics import Estimate

FOUND = {
    kind: Evaluated(Estimate(k - 1.0, k - 1.5, k + 0.25, 40), 1234.4) for k, kind in enumerate(("fqe", "wis", "dr"))
}


def test_a_selector_is_one_row_for_people_and_one_row_an_estimator_for_machines():
    rows = [("crad", "fixed:joy", FOUND, 0.5)]
    people = off_policy_sheet(rows, "demo")
    cells = ["-1.00 [-1.50, 0.25] (1,234)", "0.00 [-0.50, 1.25] (1,234)", "1.00 [0.50, 2.25] (1,234)"]
    assert f"| crad | fixed:joy | {' | '.join(cells)} | 0.50 | 40 |" in markdown_of(people).splitlines()
    assert "jackknife with Student's t for the fitted Q" in people.notes[0]
    assert r"0.00 {[}-0.50, 1.25] (1,234) & 1.00" in latex_of(people)
    assert csv_of(off_policy_figures(rows)).splitlines()[:2] == [
        "domain,selector,estimator,return,low,high,episodes,effective_episodes,sweep_return",
        "crad,fixed:joy,fqe,-1.0000,-1.5000,0.2500,40,1234.4000,0.5000",
    ]
