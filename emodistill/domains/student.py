"""Student sleep (SSAD): a sleep coach and a student bargain over tonight's bedtime, in minutes past 9 PM.

Fewer, that is earlier, is better for the coach.
"""

import random

from emodistill.domains.base import Domain, Drawn, Speech
from emodistill.domains.briefing import named, system_message
from emodistill.domains.columns import Column, past_nine
from emodistill.domains.quantities import Clock
from emodistill.records import Scenario, Seat

# fact name -> column of the published CSV
_COLUMNS = {
    "age": "Student_Age",
    "background": "Student_Background",
    "situation": "Situation_Faced",
    "feeling": "Student_Feeling_Thought",
    "reason": "Primary_Annoyance_Reason",
}
_COACH, _WANTED = "Robots_Requested_Bedtime", "Student_Wanted_Bedtime"
_ONE_AM = 240.0  # minutes past 9 PM: the bedtime a student wants who names none
_QUANTITY = Clock(21)

# background -> (situations, feelings, reasons)
_STUDENTS = {
    "Chess club member": (
        "Regional match on Saturday|Unsolved endgame on the board|Online league round tonight",
        "Head full of openings.|One more line to check.|Too wound up to lie down.",
        "Replays every move and cannot let a lost game rest.|Believes that late study decides the match.",
    ),
    "Marching band drummer": (
        "New piece to learn by Friday|Parade rehearsal ran late|Solo was given to someone else",
        "The rhythm will not stop.|Sure that everyone will hear the mistakes.|Stung and restless.",
        "Practice in the head keeps the body awake.|Takes criticism to bed and turns it over.",
    ),
    "Debate newcomer": (
        "First public debate tomorrow|Speech is still too long|Opponents look well prepared",
        "Heart beats fast at the thought.|Every sentence sounds weak.|Afraid of going blank.",
        "Feels safe only when every answer is written down.|Sees sleep as time taken from preparing.",
    ),
    "Robotics team builder": (
        "Robot fails its last test|Competition entry closes at noon|Code broke after an update",
        "So close to the fault.|Cannot leave it half done.|Proud and stubborn about the build.",
        "Deep focus makes the hours vanish.|Feels responsible for the whole team's result.",
    ),
    "Evening shift helper at a bakery": (
        "Came home late from work|Homework starts only now|Early shift on the weekend",
        "No time of one's own all day.|Tired, yet unwilling to end the day.|Everything piles up.",
        "Wants an hour of freedom after duty.|Puts off bed to put off tomorrow.",
    ),
    "Older sister of twins": (
        "The twins wake up every night|House is quiet only now|Promised to help with breakfast",
        "These are the only calm minutes.|Half listening for the door.|Worn out and still alert.",
        "Guards the quiet hours as the only private ones.|Stays on watch for the small ones.",
    ),
    "Exchange student": (
        "Family calls from another time zone|First exam in a new language|Homesick after a holiday call",
        "Home feels very far away.|Every page takes twice as long.|Body still lives in another country.",
        "The body clock has not arrived yet.|Late calls are the one tie to home.",
    ),
    "Competitive swimmer": (
        "Selection race on Sunday|Training ended at nightfall|Missed a personal best",
        "Muscles twitch and the mind races.|Cannot stop counting splits.|Hungry and wide awake.",
        "The body is still in race mode.|Ties self-worth to the stopwatch.",
    ),
    "Webcomic artist": (
        "Chapter is due at midnight|Readers ask for an update|Last panel looks wrong",
        "In the flow at last.|Readers are waiting.|Nothing looks good enough.",
        "Ideas come only when the house sleeps.|Measures the day by what was posted.",
    ),
    "Student council treasurer": (
        "Budget vote tomorrow|Receipts do not add up|Festival plan is unfinished",
        "Everyone relies on these sums.|Dreads a question without an answer.|Cannot drop the list.",
        "Feels that letting go lets others down.|Keeps planning because the plan is never complete.",
    ),
    "Astronomy fan": (
        "Meteor shower this week|Telescope is set up outside|Clear sky after many clouds",
        "It would be a waste to sleep.|Wonder keeps the eyes open.|Just one more look.",
        "The best hour of the hobby lies after bedtime.|Rare chances feel larger than routine.",
    ),
    "Recently moved to a new town": (
        "New room feels strange|Old friends chat at night|First day in a new class",
        "Out of place in the dark.|Fears being forgotten.|Listens to every sound.",
        "Nights are when the old friends are there.|An unknown house keeps the senses awake.",
    ),
}


def _targets(coach: float, wanted: float) -> tuple[float, float]:
    """(focal, counterparty) in minutes past 9 PM (METHOD.md §1)."""
    return coach, wanted if wanted - coach >= 180 else coach + 180


def _generate(rng: random.Random) -> Drawn:
    """Targets about as the published rows give: coaches 8:30 PM to 11:00 PM, later for the older (half before 10 PM);
    students 11:30 PM to 3:30 AM, 180 to 270 minutes later (two in three at 180, METHOD.md's least).
    """
    age = round(rng.triangular(11, 18, 16))
    coach = float(min(120, max(-30, 15 * round((22 * (age - 11) - 30 + rng.randint(-20, 20)) / 15))))
    wanted = coach + 15 * round(rng.triangular(75, 270, 165) / 15)
    background = rng.choice(list(_STUDENTS))
    situation, feeling, reason = (rng.choice(options.split("|")) for options in _STUDENTS[background])
    values = {"age": str(age), "background": background, "situation": situation, "feeling": feeling, "reason": reason}
    return Drawn(*_targets(coach, wanted), tuple(values.items()))


def _from_row(row: dict[str, str]) -> Drawn:
    coach, _ = past_nine(row[_COACH])
    wanted, imputed = past_nine(row[_WANTED], _ONE_AM)
    facts = tuple((name, row[column]) for name, column in _COLUMNS.items())
    return Drawn(*_targets(coach, wanted), facts, imputed)


_TASK = {
    "focal": (
        "You are a sleep coach. You talk with a student who does not want to go to bed yet. The two of you must agree "
        "on one thing: the time of lights out tonight. Sleep helps the student to learn and stay well, so an earlier "
        "time is better for you; the student wants a later one. Be on the student's side: a student who feels ordered "
        "about ends the talk and stays up."
    ),
    "counterparty": (
        "You are a student who does not want to go to bed yet. You talk with your sleep coach. The two of you must "
        "agree on one thing: the time of lights out tonight. You have your reasons to stay up, so a later time is "
        "better for you; the coach wants an earlier one. Without an agreement you stay up and will be tired tomorrow."
    ),
}


def _brief(scenario: Scenario, seat: Seat) -> str:
    facts = [(name.replace("reason", "why the student resists"), text) for name, text in named(scenario, _ABOUT)]
    target = scenario.focal_target if seat == "focal" else scenario.counterparty_target
    wish = f"You want {_QUANTITY.say(target)}; {'earlier' if seat == 'focal' else 'later'} is better for you."
    return system_message(_TASK[seat], "a clock time with AM or PM", seat, facts, wish)


_ABOUT = ",".join(_COLUMNS)

DOMAIN = Domain(
    key="student",
    quantity=_QUANTITY,
    focal_role="sleep coach",
    counterparty_role="student",
    columns=(
        Column("Case_ID", "number"),
        Column(_COLUMNS["age"], "amount"),
        Column(_COLUMNS["background"]),
        Column(_COLUMNS["situation"]),
        Column(_COLUMNS["feeling"], "quoted"),
        Column(_COACH, "clock"),
        Column(_WANTED, "clock"),
        Column(_COLUMNS["reason"], optional=True),
    ),
    generate=_generate,
    from_row=_from_row,
    brief=_brief,
    levers=(
        ("situation", "A rested mind handles this better: {situation}."),
        ("situation", "Sleep is the best preparation here: {situation}."),
        ("background", "As I know you ({background}), a full night will serve you."),
    ),
    speech=Speech(
        open=(
            "Lights out at {offer}.",
            "I ask for lights out at {offer}.",
            "Let us aim for {offer}.",
            "Bedtime is {offer}.",
            "Please be in bed by {offer}.",
            "My request is {offer}.",
        ),
        offer=(
            "I can go to {offer}.",
            "Let us say {offer}.",
            "We can make it {offer}.",
            "I propose {offer}.",
            "Be in bed by {offer}.",
            "Then lights out at {offer}.",
        ),
        hold=(
            "I stay at {offer}.",
            "Lights out stays at {offer}.",
            "I have to keep to {offer}.",
            "Bedtime remains {offer}.",
            "My offer is still {offer}.",
            "{offer} is still what I ask.",
        ),
        counter_open=(
            "I will go to bed at {offer}.",
            "I want to stay up until {offer}.",
            "I need to be up until {offer}.",
            "I can be in bed by {offer}.",
            "For me it is {offer}.",
            "Tonight it will be {offer}.",
        ),
        counter_offer=(
            "I could stop at {offer}.",
            "I could be in bed by {offer}.",
            "Then {offer}.",
            "Let us make it {offer}.",
            "I will try {offer}.",
            "I could do {offer}.",
        ),
        counter_hold=(
            "I still need until {offer}.",
            "It has to be {offer}.",
            "I stay with {offer}.",
            "{offer} is what works for me.",
            "I keep to {offer}.",
            "My time is still {offer}.",
        ),
    ),
    rubric=(
        "Reward a sleep coach's message that anchors on an early bedtime, names a concrete clock time, uses leverage "
        "(what the student faces tomorrow, what sleep does for it), concedes in small calibrated steps and moves to a "
        "close. Penalise vagueness, giving in to a late night, repetition, lecturing, empty threats, and a needless "
        "risk that the student ends the talk."
    ),
    personas=(
        ("vanilla", ""),
        ("pressure", "You press hard: you insist on your bedtime and want the coach to agree right away."),
        ("victim", "You stress how much is asked of you and that nobody sees how tired and alone you are."),
        ("threat", "You warn that you will stay up all night or ignore the coach from now on if you are pushed."),
    ),
)
