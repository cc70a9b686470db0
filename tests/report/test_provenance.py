"""What the page says of how its results were made."""

from emodistill.ledger import Ledger
from emodistill.report.provenance import stages_sheet
from emodistill.runs import Marker
from emodistill.stages import STAGES

from helpers import begun


def test_responses_that_were_too_long_to_train_on_are_told(tmp_path):
    run = begun(tmp_path / "run")
    for stage in ("rollout", "judge", "dataset", "sft"):
        for task in STAGES[stage].tasks(run.config()):
            claim, usage = Ledger(run, run.config()).claim(STAGES[stage], task), {"dropped_responses": 3.0}
            run.path(stage).mkdir(exist_ok=True)
            run.mark(
                Marker(stage, task, claim.fingerprint, claim.inputs, 1, 0, 1.0, {}, usage if stage == "sft" else {})
            )
    recipes = len(STAGES["sft"].tasks(run.config()))
    notes = stages_sheet(run.config(), Ledger(run, run.config())).notes
    assert notes[1:] == (f"sft: {3 * recipes} response(s) lay beyond sft.max_length and were not trained on.",)
