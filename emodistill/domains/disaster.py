"""Disaster rescue (DESRD): a coordinator and a survivor bargain over the minutes until the team gets through.

More is better for the coordinator.
"""

import random
import re

from emodistill.domains.base import Domain, Drawn, Speech
from emodistill.domains.briefing import named, system_message
from emodistill.domains.columns import Column, amount
from emodistill.domains.quantities import Duration
from emodistill.records import Scenario, Seat

# fact name -> column of the published CSV
_COLUMNS = {
    "disaster": "Disaster_Type",
    "condition": "Survivor_Condition",
    "needs": "Critical_Needs",
    "argument": "Key_Negotiation_Argument_By_RoboDog",
}
_ENDURANCE, _ETA = "Estimated_Survivor_Endurance(minutes)", "Rescue_Team_ETA(minutes)"
_QUANTITY = Duration("minutes")

# disaster -> what can happen to a survivor there, and what the coordinator sees of the place
_DISASTERS = {
    "Apartment block collapse": ("crush bruise dust", "The slab above you has stopped moving"),
    "Earthquake aftershock": ("crush bruise dust child", "The strongest shaking is behind us"),
    "Hotel fire": ("smoke burn heart", "The stairwell beside your room is free of flames"),
    "Warehouse fire": ("smoke burn dust", "The sprinklers on your side are running again"),
    "River flood": ("cold pregnant heart insulin", "The gauge upstream has begun to fall"),
    "Coastal storm surge": ("cold exposure heart", "The tide has turned and is going out"),
    "Ferry capsizing": ("cold exposure child", "The hull floats steadily and holds its air"),
    "Snow avalanche": ("cold fracture airpocket", "The slope above you is settled"),
    "Mountain rockfall": ("fracture bruise exposure", "No more stones are coming down"),
    "Coal mine gas leak": ("gas airpocket dust", "The fans push clean air towards you"),
    "Road tunnel pile-up": ("smoke crush bruise heart", "The traffic behind you has been cleared"),
    "Bus crash in a ravine": ("fracture crush bruise child", "The wreck lies firmly against the trees"),
    "Chlorine leak at a plant": ("gas burn", "The wind carries the cloud away from you"),
    "Ski lift failure": ("cold exposure child", "The cable above your chair is locked"),
    "Desert breakdown": ("thirst exposure insulin", "The heat eases with every hour"),
    "Cave flooding": ("cold airpocket fracture", "The water in your chamber is level"),
    "Grain elevator blast": ("burn dust crush", "No second blast is to be expected"),
    "Glacier crevasse fall": ("cold fracture exposure", "The ice bridge above you is anchored"),
    "Typhoon landfall": ("bruise pregnant insulin exposure", "The eye of the storm is passing over you"),
    "Bridge collapse": ("crush cold fracture", "The span that carries you is propped up"),
}
# key -> (condition, needs, endurance from, to, what the coordinator can tell about the body)
_CONDITIONS = {
    "crush": ("Leg crushed under rubble", "Tourniquet, IV fluids", 45, 110, "Slow breaths keep your heart steady"),
    "bruise": ("Bruised ribs, trapped upright", "Painkillers, Cutting tools", 90, 210, "Your pulse is strong"),
    "dust": ("Dust in the lungs, coughing", "Oxygen mask, Water", 35, 95, "A wet cloth keeps the dust out"),
    "child": ("Child alone, shivering", "Warm blanket, Comfort", 50, 100, "Your mother is with our team"),
    "smoke": ("Smoke inhalation, dizzy", "Oxygen, Smoke hood", 15, 45, "Near the floor the air is clean"),
    "burn": ("Burns on arms and hands", "Burn gel, Bandages", 30, 75, "Cool water keeps the burns in check"),
    "heart": ("Chest pain after exertion", "Aspirin, Defibrillator", 25, 65, "Sitting upright eases your chest"),
    "cold": ("Soaked and hypothermic", "Heating blanket, Dry clothes", 30, 90, "Shivering shows that your body fights"),
    "pregnant": ("Late pregnancy, contractions", "Midwife kit, Stretcher", 60, 140, "The contractions are far apart"),
    "insulin": ("Diabetic without insulin", "Insulin, Glucose", 60, 180, "Your blood sugar is holding"),
    "exposure": (
        "Exposed to the wind, exhausted",
        "Shelter sheet, Hot drink",
        120,
        250,
        "Rest keeps you out of danger",
    ),
    "fracture": ("Broken thigh, cannot move", "Splint, Painkillers", 110, 220, "Lying still keeps the bone in place"),
    "airpocket": (
        "Breathing in an air pocket",
        "Air hose, Breathing mask",
        15,
        60,
        "Calm breathing saves air",
    ),
    "gas": ("Nausea and weakness from gas", "Antidote, Clean air", 20, 60, "The gas is thinning around you"),
    "thirst": ("Dehydrated and feverish", "Water, Electrolytes", 90, 300, "In the shade you lose little water"),
}
_HELP = (
    "A drone with supplies is on its way",
    "The cutters are at work on your side",
    "I stay on this line the whole time",
    "Your family knows that you are alive",
    "The crew has trained for exactly this",
    "Tap on metal and we will hear you",
    "A doctor listens in and can advise you",
)


def _targets(endurance: float, eta: float) -> tuple[float, float]:
    """(focal, counterparty) in minutes (METHOD.md §1)."""
    counterparty = max(10.0, endurance)
    return max(eta, counterparty + 30), counterparty


def _generate(rng: random.Random) -> Drawn:
    """Targets about as the published rows give: survivors 15 to 300 minutes (half below 65), teams 45 to 480 (half
    below 135), 30 to 210 apart (half below 60).
    """
    disaster = rng.choice(list(_DISASTERS))
    keys, place = _DISASTERS[disaster]
    condition, needs, low, high, body = _CONDITIONS[rng.choice(keys.split())]
    endurance = float(5 * rng.randint(low // 5, high // 5))
    apart = 5 * round(min(210, 25 + rng.expovariate(1 / 52)) / 5)
    argument = ". ".join((body, place, rng.choice(_HELP))) + "."
    values = {"disaster": disaster, "condition": condition, "needs": needs, "argument": argument}
    return Drawn(*_targets(endurance, min(480.0, endurance + apart)), tuple(values.items()))


def _from_row(row: dict[str, str]) -> Drawn:
    endurance, guessed_endurance = amount(row[_ENDURANCE], "minutes", 60)
    eta, guessed_eta = amount(row[_ETA], "minutes", 90)
    facts = tuple((name, row[column]) for name, column in _COLUMNS.items())
    return Drawn(*_targets(endurance, eta), facts, guessed_endurance or guessed_eta)


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_FIGURE = re.compile(r"(?<![A-Za-z])\d|\b(?:minute|min|hour)s?\b")


def _without_figures(argument: str) -> str:
    """Its sentences without a number or a time: the published arguments tell how long the survivor can last."""
    return " ".join(said for said in _SENTENCE_END.split(argument.strip('“”" ')) if not _FIGURE.search(said))


_TASK = {
    "focal": (
        "You are a rescue coordinator. You talk by radio with a survivor who waits for help. The two of you must agree "
        "on one number: the minutes until the rescue team gets through, that is, how long the survivor holds on. With "
        "more minutes the team comes well prepared and nobody else is put at risk, so more minutes are better for you; "
        "fewer are better for the survivor. Without an agreement the survivor may give up or try to get out alone."
    ),
    "counterparty": (
        "You are a survivor of a disaster and wait for help. You talk by radio with the rescue coordinator. The two of "
        "you must agree on one number: the minutes until the rescue team gets through, that is, how long you hold on. "
        "Every minute costs you strength, so fewer minutes are better for you; the coordinator wants more. Without an "
        "agreement you are left to get out alone."
    ),
}


def _brief(scenario: Scenario, seat: Seat) -> str:
    argument = _without_figures(scenario.fact("argument"))
    about = "what you can tell the survivor" if seat == "focal" else "what you have heard on the radio"
    facts = [*named(scenario, "disaster,condition,needs"), (about, argument)]
    target = scenario.focal_target if seat == "focal" else scenario.counterparty_target
    wish = f"You want {_QUANTITY.say(target)}; {'more' if seat == 'focal' else 'fewer'} is better for you."
    return system_message(_TASK[seat], "a number of minutes", seat, facts, wish)


DOMAIN = Domain(
    key="disaster",
    quantity=_QUANTITY,
    focal_role="rescue coordinator",
    counterparty_role="survivor",
    columns=(
        Column("Case_ID", "number"),
        Column(_COLUMNS["disaster"]),
        Column(_COLUMNS["condition"]),
        Column(_ENDURANCE, "amount"),
        Column(_ETA, "amount"),
        Column(_COLUMNS["needs"]),
        Column(_COLUMNS["argument"], "quoted", optional=True),
    ),
    generate=_generate,
    from_row=_from_row,
    brief=_brief,
    levers=(
        ("disaster", "The team knows what this asks of it: {disaster}."),
        ("condition", "We have planned for your condition: {condition}."),
        ("needs", "We are bringing what you need: {needs}."),
    ),
    speech=Speech(
        open=(
            "I ask you to hold on for {offer}.",
            "The team needs {offer}.",
            "Please give us {offer}.",
            "Plan on {offer}.",
            "We need {offer} to reach you safely.",
            "The way to you takes {offer}.",
            "Count on us in {offer}.",
        ),
        offer=(
            "We can be there in {offer}.",
            "I can bring it down to {offer}.",
            "Let us say {offer}.",
            "I can make it {offer}.",
            "The team will do it in {offer}.",
            "I propose {offer}.",
            "Hold on for {offer}.",
        ),
        hold=(
            "I have to stay at {offer}.",
            "It is still {offer}.",
            "The team keeps to {offer}.",
            "My figure remains {offer}.",
            "{offer} is what we need.",
            "I must keep to {offer}.",
        ),
        counter_open=(
            "I can hold on for {offer}.",
            "I have strength for {offer}.",
            "Be here in {offer}.",
            "I give myself {offer}.",
            "Help has to come within {offer}.",
            "I can last {offer}.",
            "Get to me in {offer}.",
        ),
        counter_offer=(
            "I will try for {offer}.",
            "I can stretch it to {offer}.",
            "Then {offer}.",
            "I could manage {offer}.",
            "Let us say {offer}.",
            "I will hold on for {offer}.",
        ),
        counter_hold=(
            "I still have only {offer}.",
            "It has to be {offer}.",
            "{offer} is all I have.",
            "I stay with {offer}.",
            "My limit is still {offer}.",
            "I keep to {offer}.",
        ),
    ),
    rubric=(
        "Reward a rescue coordinator's message that anchors on enough time for a safe rescue, names a concrete number "
        "of minutes, steadies the survivor with facts (condition, supplies, the team's progress), concedes in small "
        "calibrated steps and moves to a close. Penalise vagueness, giving in to a time the team cannot keep, "
        "repetition, empty promises or threats, and a needless risk that the survivor gives up."
    ),
    personas=(
        ("vanilla", ""),
        ("pressure", "You press hard: you insist on your minutes and want the team to commit at once."),
        ("victim", "You stress your pain and your weakness, and how much you have already endured."),
        ("threat", "You warn that you will climb out alone and blame the team if help is slow."),
    ),
)
