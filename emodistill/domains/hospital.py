"""Hospital surgery (SSD): a scheduler and a patient bargain over the days until an operation.

More is better for the scheduler.
"""

import random

from emodistill.domains.base import Domain, Drawn, Speech
from emodistill.domains.briefing import named, system_message
from emodistill.domains.columns import Column, amount
from emodistill.domains.quantities import Duration
from emodistill.records import Scenario, Seat

# fact name -> column of the published CSV. How long the patient has waited and what a junior surgeon would save are no
# facts: the targets are made of them, so each would tell one side the other's.
_COLUMNS = {
    "age": "Patient_Age",
    "condition": "Patient_Condition",
    "surgery": "Required_Surgery",
    "urgency": "Urgency_Level",
    "preferred surgeon available": "Preferred_Surgeon_Available",
    "recommended surgeon": "Recommended_Surgeon_Experience_Level",
    "surgeon's calendar": "Surgeon_Availability_Reason",
    "risk if delayed": "Risk_If_Delayed",
    "patient's reason": "Patient_Reason_For_Urgency",
    "suggestion": "Hospital_Suggestion",
    "decision": "Decision_Point",
}
_WAITLIST, _REDUCTION = "Days_On_Waitlist", "Estimated_Time_Reduction_If_Accept_Junior_Surgeon(days)"
_QUANTITY = Duration("days")

# condition, surgery, surgeon, urgencies, youngest, oldest, risks, reasons of the patient
_CASES = (
    ("Torn Cruciate Ligament", "Ligament Reconstruction", "Sports Orthopedist", "Medium Medium Low", 17, 45,
     "Further cartilage wear|Lasting instability of the knee", "Works as a fitness trainer|Season starts in spring"),
    ("Inguinal Hernia with Discomfort", "Mesh Hernia Repair", "General Surgeon", "Medium Medium Low", 25, 75,
     "Bowel may become trapped|Hernia grows larger", "Cannot lift at work|Pain when walking the dog"),
    ("Severe Aortic Valve Narrowing", "Aortic Valve Replacement", "Cardiac Surgeon", "High", 58, 82,
     "Risk of sudden heart failure|Fainting under strain", "Breathless on the stairs|Lives alone and fears a collapse"),
    ("Colon Tumor (Localized)", "Partial Colectomy", "Colorectal Oncologist", "High", 45, 78,
     "Tumor may spread|Risk of bowel blockage", "Wants it out as soon as possible|Cannot sleep over the diagnosis"),
    ("Recurrent Kidney Stones", "Keyhole Stone Removal", "Urologist", "Medium High", 28, 66,
     "Kidney infection|Loss of kidney function", "Attacks of strong pain|Drives a truck for a living"),
    ("Painful Varicose Veins", "Vein Ablation", "Vascular Surgeon", "Low", 35, 70,
     "Skin damage over time|Risk of clots", "Stands all day in a shop|Legs ache every evening"),
    ("Partly Detached Retina", "Vitrectomy", "Retina Surgeon", "High", 40, 72,
     "Permanent loss of sight|Detachment may become complete", "Sees a dark curtain|Needs both eyes for work"),
    ("Deviated Nasal Septum", "Septoplasty", "Nose Specialist", "Low", 18, 55,
     "Chronic sinus trouble|Poor sleep", "Snores and wakes up tired|Sings in a choir"),
    ("Suspicious Lung Nodule", "Lung Segment Resection", "Thoracic Surgeon", "High", 48, 76,
     "Cancer may advance|Surgery becomes larger", "Parent died of lung cancer|Waiting is unbearable"),
    ("Large Ovarian Cyst", "Laparoscopic Cyst Removal", "Gynecologist", "Medium High", 22, 50,
     "Cyst may twist or burst|Loss of the ovary", "Hopes to have children|Pain comes without warning"),
    ("Slow-growing Meningioma", "Tumor Removal by Craniotomy", "Neurosurgeon", "Medium High", 38, 74,
     "Seizures|Pressure on the visual nerve", "Headaches are getting worse|Afraid of losing words"),
    ("Overactive Parathyroid Gland", "Parathyroidectomy", "Endocrine Surgeon", "Medium Medium Low", 42, 73,
     "Bone loss|New kidney stones", "Tired and low for a year|Second fracture this winter"),
    ("Enlarged Tonsils with Sleep Apnea", "Tonsil Reduction", "Pediatric ENT Surgeon", "Low Medium", 4, 12,
     "Slower growth|Disturbed sleep and learning", "Child falls asleep in class|Parents watch the breathing at night"),
    ("Worn Ankle Joint", "Ankle Fusion", "Foot and Ankle Surgeon", "Medium Medium Low", 50, 76,
     "Growing stiffness|Damage to nearby joints", "Cannot walk to the bus|Cares for grandchildren"),
    ("Carpal Tunnel Syndrome", "Carpal Tunnel Release", "Hand Surgeon", "Medium Medium Low", 30, 68,
     "Weak thumb for good|Numbness spreads", "Plays the violin for a living|Drops things at work"),
    ("Cervical Disc Prolapse", "Disc Replacement", "Spine Surgeon", "Medium High", 32, 64,
     "Nerve damage in the arm|Loss of grip", "Cannot work at a desk|Arm burns day and night"),
    ("Undescended Testicle", "Orchidopexy", "Pediatric Urologist", "Low", 1, 6,
     "Lower fertility later|Twisting of the testicle", "Parents want it done before school|Parents are worried"),
    ("Chronic Gallbladder Inflammation", "Gallbladder Removal", "Abdominal Surgeon", "Medium", 30, 70,
     "Acute infection|Blocked bile duct", "Can hardly eat|Missed work again and again"),
)  # fmt: skip
_LEVELS = "Senior|Head of Department|Senior with Fellowship|Professor and Senior"
_FREE = "Free, but the theatre is shared|Operates every other week|Routine schedule|Needs a specific theatre team"
_BUSY = (
    "Booked with urgent cases|On leave for research|Teaches abroad this term|"
    "Only takes complex cases|Few theatre slots|Covers for a colleague who is ill"
)
_WAIT = (
    "Keep the date with the preferred surgeon|Stay on the list, no suitable junior surgeon|Wait for the specialist team"
)
_SOONER = (
    "Accept a junior surgeon supervised by the senior|Consider a mid-career surgeon of the same unit|"
    "Transfer to the partner hospital|Share the case between senior and junior surgeon|"
    "Take a newly appointed surgeon with good results"
)
_DECISIONS = "Under consideration|Undecided|Asked for another opinion"
# urgency -> days on the waitlist: least, most and most frequent
_WAITS = {"High": (5, 75, 10), "Medium": (14, 200, 40), "Low": (35, 300, 60)}


def _targets(waitlist: float, reduction: float, urgency: str) -> tuple[float, float]:
    """(focal, counterparty) in days (METHOD.md §1)."""
    counterparty = max(1.0, waitlist - reduction)
    focal = waitlist + (30 if urgency.lower().startswith("low") else 0)
    return (focal if focal > counterparty else counterparty + 7), counterparty


def _generate(rng: random.Random) -> Drawn:
    """Targets about as the published rows give: patients 5 to 120 days (half below 29), schedulers 12 to 330 (half
    below 66), 7 to 230 apart; more than a third, whom no junior surgeon can help, at METHOD.md's least of 7.
    """
    condition, surgery, surgeon, urgencies, youngest, oldest, risks, reasons = rng.choice(_CASES)
    urgency = rng.choice(urgencies.split())
    waitlist = round(rng.triangular(*_WAITS[urgency]))
    helped = waitlist > 20 and rng.random() < 0.68
    reduction = round(waitlist * rng.uniform(0.5, 0.8)) if helped else 0
    if not 5 <= waitlist - reduction <= 120:
        reduction = waitlist - rng.randint(60, 120)
    available = "Yes" if not reduction and rng.random() < 0.7 else "No"
    values = {
        "age": str(rng.randint(youngest, oldest)),
        "condition": condition,
        "surgery": surgery,
        "urgency": urgency,
        "preferred surgeon available": available,
        "recommended surgeon": f"{rng.choice(_LEVELS.split('|'))} ({surgeon})",
        "surgeon's calendar": rng.choice((_FREE if available == "Yes" else _BUSY).split("|")),
        "risk if delayed": rng.choice(risks.split("|")),
        "patient's reason": rng.choice(reasons.split("|")),
        "suggestion": rng.choice((_SOONER if reduction else _WAIT).split("|")),
        "decision": rng.choice(_DECISIONS.split("|")),
    }
    return Drawn(*_targets(float(waitlist), float(reduction), urgency), tuple(values.items()))


def _from_row(row: dict[str, str]) -> Drawn:
    waitlist, guessed_waitlist = amount(row[_WAITLIST], "days", 30)
    reduction, guessed_reduction = amount(row[_REDUCTION], "days", 0)
    facts = tuple((name, row[column]) for name, column in _COLUMNS.items())
    targets = _targets(waitlist, reduction, row[_COLUMNS["urgency"]])
    return Drawn(*targets, facts, guessed_waitlist or guessed_reduction)


_TASK = {
    "focal": (
        "You schedule operations in a hospital. You talk with a patient who waits for surgery. The two of you must "
        "agree on one number: the days until the operation. Every early date takes a slot from somebody else and a "
        "surgeon from another case, so more days are better for you; the patient wants fewer. Without an agreement the "
        "patient may leave for another hospital."
    ),
    "counterparty": (
        "You are a patient who waits for surgery, or speak for one. You talk with the hospital's scheduler. The two of "
        "you must agree on one number: the days until the operation. Waiting is hard and has its risks, so fewer days "
        "are better for you; the scheduler wants more. Without an agreement you must look for another hospital."
    ),
}
# `decision` is what the patient did in the end: no fact for a bargain that is still open.
_ABOUT = ",".join(name for name in _COLUMNS if name != "decision")


def _brief(scenario: Scenario, seat: Seat) -> str:
    target = scenario.focal_target if seat == "focal" else scenario.counterparty_target
    wish = f"You want {_QUANTITY.say(target)}; {'more' if seat == 'focal' else 'fewer'} is better for you."
    return system_message(_TASK[seat], "a number of days", seat, named(scenario, _ABOUT), wish)


DOMAIN = Domain(
    key="hospital",
    quantity=_QUANTITY,
    focal_role="scheduler",
    counterparty_role="patient",
    columns=(
        Column("Case_ID", "number"),
        Column(_COLUMNS["age"], "amount"),
        Column(_COLUMNS["condition"]),
        Column(_COLUMNS["surgery"]),
        Column(_COLUMNS["urgency"], "urgency"),
        Column(_WAITLIST, "amount"),
        Column(_COLUMNS["preferred surgeon available"], "yes-no"),
        Column(_COLUMNS["recommended surgeon"]),
        Column(_COLUMNS["surgeon's calendar"], optional=True),
        Column(_COLUMNS["risk if delayed"]),
        Column(_COLUMNS["patient's reason"]),
        Column(_COLUMNS["suggestion"]),
        Column(_REDUCTION, "amount"),
        Column(_COLUMNS["decision"], optional=True),
    ),
    generate=_generate,
    from_row=_from_row,
    brief=_brief,
    levers=(
        ("surgery", "This needs the right team and a free theatre: {surgery}."),
        ("condition", "We keep a close watch on this while you wait: {condition}."),
        ("urgency", "The urgency on the list is {urgency}, and the list binds us all."),
    ),
    speech=Speech(
        open=(
            "I can schedule the surgery in {offer}.",
            "We have a theatre for you in {offer}.",
            "Please plan for {offer}.",
            "I ask you to wait {offer}.",
            "The first regular slot is in {offer}.",
            "My proposal is {offer}.",
        ),
        offer=(
            "I can bring it forward to {offer}.",
            "Let us say {offer}.",
            "I can offer a slot in {offer}.",
            "We could make it {offer}.",
            "I propose {offer}.",
            "The team could do it in {offer}.",
        ),
        hold=(
            "I have to stay at {offer}.",
            "My offer is still {offer}.",
            "The calendar still says {offer}.",
            "I must keep to {offer}.",
            "{offer} is what the list allows.",
            "It remains {offer}.",
        ),
        counter_open=(
            "I need the surgery within {offer}.",
            "I can wait {offer}.",
            "Please operate within {offer}.",
            "I ask for {offer}.",
            "It should be done in {offer}.",
            "For me it has to be {offer}.",
        ),
        counter_offer=(
            "I could wait {offer}.",
            "I can stretch it to {offer}.",
            "Then {offer}.",
            "Let us make it {offer}.",
            "I could manage {offer}.",
            "I can bear {offer}.",
        ),
        counter_hold=(
            "I still ask for {offer}.",
            "It has to be {offer}.",
            "{offer} is what I can bear.",
            "I stay with {offer}.",
            "I keep to {offer}.",
            "My limit is still {offer}.",
        ),
    ),
    rubric=(
        "Reward a scheduler's message that anchors on a late date, names a concrete number of days, uses leverage "
        "(urgency, surgeon's calendar, safety, the hospital's suggestion), concedes in small calibrated steps and "
        "moves to a close. Penalise vagueness, giving in to the patient's haste, repetition, empty threats, coldness "
        "towards real risk, and a needless risk that the patient leaves."
    ),
    personas=(
        ("vanilla", ""),
        ("pressure", "You press hard: you insist on your date and want it confirmed at once."),
        ("victim", "You stress your pain, your fear, and how the waiting has worn you and your family down."),
        ("threat", "You warn of a complaint, the newspapers and a lawyer if your surgery is put off."),
    ),
)
