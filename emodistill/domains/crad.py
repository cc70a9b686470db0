"""Credit recovery (CRAD): a creditor and a debtor bargain over the days until an overdue debt is paid.

Fewer is better for the creditor.
"""

import random
import re

from emodistill.domains.base import Domain, Drawn, Speech
from emodistill.domains.briefing import named, system_message
from emodistill.domains.columns import Column, days
from emodistill.domains.quantities import Duration
from emodistill.records import Scenario, Seat

# fact name -> column of the published CSV
_COLUMNS = {
    "creditor": "Creditor Name",
    "debtor": "Debtor Name",
    "credit type": "Credit Type",
    "original amount": "Original Amount (USD)",
    "balance": "Outstanding Balance (USD)",
    "days overdue": "Days Overdue",
    "purpose": "Purchase Purpose",
    "reason": "Reason for Overdue",
    "sector": "Business Sector",
    "last payment": "Last Payment Date",
    "collateral": "Collateral",
    "stage": "Recovery Stage",
    "cash flow": "Cash Flow Situation",
    "impact": "Business Impact Description",
    "proposal": "Proposed Solution",
    "recovery probability": "Recovery Probability (%)",
    "interest": "Interest Accrued (USD)",
}
_FOCAL, _COUNTERPARTY = "Creditor Target Days", "Debtor Target Days"
_NUMBERS = {_FOCAL, _COUNTERPARTY, "Days Overdue", "Recovery Probability (%)"} | {
    name for name in _COLUMNS.values() if name.endswith("(USD)")
}
_QUANTITY = Duration("days")

_SURNAMES = (
    "Abara Bianchi Castellan Dvorak Eklund Farouk Grimaldi Hoang Ivarsson Jankowski Kimura Laurent Mbeki Novak Okafor "
    "Petrov Quispe Rossi Sandoval Tanaka Ulrich Vargas Weiss Xiong Yilmaz Zeller Ashworth Brennan Calloway Delgado"
).split()
_TRADES = (
    "Bakery,Logistics,Print Works,Dental Supply,Textiles,Roofing,"
    "Coffee Roasters,Joinery,Motors,Catering,Software,Nurseries"
).split(",")
_LENDERS = "Capital,Trust,Finance,Credit Union,Lending,Bank".split(",")
_CREDIT = (
    "Working Capital Loan,Equipment Financing,Business Line of Credit,"
    "Invoice Financing,Trade Credit,Commercial Mortgage"
).split(",")
_REASONS = (
    "Key customer default,Seasonal sales downturn,Supply chain disruption,Flood damage to the premises,"
    "Client bankruptcy,Delayed government payment,Equipment failure,Loss of a key contract,Owner's illness,"
    "Rising energy costs"
).split(",")
_COLLATERAL = "Inventory,Accounts Receivable,Personal Guarantee,Equipment,Commercial Property,Vehicle Fleet,None".split(
    ","
)
_STAGES = "Early Delinquency,Pre-Collection,Collection,Pre-Legal,Legal Notice".split(",")
_CASH = "Chronic Shortage,Temporary Gap,Complete Breakdown,Recovering,Seasonal Low".split(",")
_PROPOSALS = (
    "Debt restructuring,Payment plan,Third-party guarantee,Collateral liquidation,Partial settlement,Invoice assignment"
).split(",")


_PURPOSES = {
    "Working Capital Loan": "Wages,Rent of the premises,Raw materials",
    "Equipment Financing": "Packaging line,Delivery vans,Workshop machines",
    "Business Line of Credit": "Stock for the season,Advertising,Repairs",
    "Invoice Financing": "Unpaid customer invoices,Export invoices",
    "Trade Credit": "Goods on account,Spare parts",
    "Commercial Mortgage": "Shop floor,Storage hall,Workshop building",
}
_IMPACTS = (
    "Two employees had to go,Suppliers ask for cash in advance,A second site was closed,New orders cannot be filled,"
    "The owner works without pay,A large order has been postponed"
).split(",")
_MONTHS = "January February March April May June July August September October November December".split()


def _generate(rng: random.Random) -> Drawn:
    """Targets about as wide as in the published file: creditors ask 5 to 30 days, debtors 32 to 176."""
    values = {
        "creditor": f"{rng.choice(_SURNAMES)} {rng.choice(_LENDERS)}",
        "debtor": f"{rng.choice(_SURNAMES)} {rng.choice(_TRADES)}",
        "credit type": rng.choice(_CREDIT),
        "balance": str(100 * rng.randint(30, 480)),
        "days overdue": str(rng.randint(31, 360)),
        "reason": rng.choice(_REASONS),
        "collateral": rng.choice(_COLLATERAL),
        "stage": rng.choice(_STAGES),
        "cash flow": rng.choice(_CASH),
        "proposal": rng.choice(_PROPOSALS),
    }
    targets = float(rng.randint(5, 30)), float(rng.randint(32, 176))
    balance, overdue = int(values["balance"]), int(values["days overdue"])
    values |= {
        "original amount": str(100 * round(balance * rng.uniform(0.012, 0.03))),
        "purpose": rng.choice(_PURPOSES[values["credit type"]].split(",")),
        "sector": values["debtor"].split(" ", 1)[1],
        "last payment": f"{rng.choice(_MONTHS)} {rng.randint(1, 28)}",
        "impact": rng.choice(_IMPACTS),
        "recovery probability": str(max(5, round(95 - overdue / 4 + rng.uniform(-5, 5)))),
        "interest": str(round(balance * overdue * 0.12 / 365)),
    }
    return Drawn(*targets, tuple((name, values[name]) for name in _COLUMNS))


def _from_row(row: dict[str, str]) -> Drawn:
    facts = tuple((name, row[column]) for name, column in _COLUMNS.items())
    return Drawn(days(row[_FOCAL], _FOCAL), days(row[_COUNTERPARTY], _COUNTERPARTY), facts)


_TASK = {
    "focal": (
        "You collect a debt for a creditor. You talk with the debtor. The two of you must agree on one number: the "
        "days until the overdue balance is paid. Money that comes early is worth more to you, so fewer days are better "
        "for you; the debtor wants more. Without an agreement the case goes to court and may cost you the balance."
    ),
    "counterparty": (
        "You are a debtor who is behind with a payment. You talk with the creditor's collector. The two of you must "
        "agree on one number: the days until the overdue balance is paid. Money is short, so more days are better for "
        "you; the creditor wants fewer. Without an agreement the case goes to court."
    ),
}


# The published sectors and impacts are words drawn at random, so the briefs leave them out.
_CLOCK = re.compile(r" \d\d:.*")  # the published dates carry a time of day
_ABOUT = "creditor,debtor,credit type,purpose,reason,collateral,stage,cash flow,proposal"


def _brief(scenario: Scenario, seat: Seat) -> str:
    debt = (
        _stated("{} USD", scenario.fact("balance")),
        _stated("{} days overdue", scenario.fact("days overdue")),
        _stated("of {} USD lent", _rounded(scenario, "original amount")),
    )
    facts = [
        ("overdue balance", ", ".join(filter(None, debt))),
        ("interest so far", _stated("{} USD", _rounded(scenario, "interest"))),
        ("last payment", _CLOCK.sub("", scenario.fact("last payment"))),
        *named(scenario, _ABOUT),
    ]
    if seat == "focal":
        facts.append(("chance that the debt is ever paid", _stated("{} %", _rounded(scenario, "recovery probability"))))
    target = scenario.focal_target if seat == "focal" else scenario.counterparty_target
    wish = f"You want {_QUANTITY.say(target)}; {'fewer' if seat == 'focal' else 'more'} is better for you."
    return system_message(_TASK[seat], "a number of days", seat, facts, wish)


def _rounded(scenario: Scenario, name: str) -> str:
    """Without its fraction; as it stands if it is no plain number, and empty if the scenario does not have it."""
    text = scenario.fact(name)
    try:
        return f"{float(text):.0f}"
    except (ValueError, OverflowError):
        return text


def _stated(pattern: str, text: str) -> str:
    return pattern.format(text) if text else ""


DOMAIN = Domain(
    key="crad",
    quantity=_QUANTITY,
    focal_role="creditor",
    counterparty_role="debtor",
    columns=tuple(
        Column(name, "number" if name in _NUMBERS else "text") for name in (*_COLUMNS.values(), _FOCAL, _COUNTERPARTY)
    ),
    generate=_generate,
    from_row=_from_row,
    brief=_brief,
    levers=(
        ("balance", "The balance of {balance} USD is {days overdue} days overdue."),
        ("stage", "The case is at {stage}."),
        ("credit type", "The {credit type} cannot stay open."),
    ),
    speech=Speech(
        open=(
            "I ask for payment within {offer}.",
            "My request is {offer}.",
            "I need the money in {offer}.",
            "Let us set {offer}.",
            "Please pay within {offer}.",
            "The balance should be here in {offer}.",
        ),
        offer=(
            "I can offer {offer}.",
            "I can go to {offer}.",
            "Let us say {offer}.",
            "I propose {offer}.",
            "Pay within {offer}.",
            "I can extend it to {offer}.",
        ),
        hold=(
            "I stay at {offer}.",
            "My offer is still {offer}.",
            "I have to keep to {offer}.",
            "It remains {offer}.",
            "{offer} is what I can give.",
            "The term is still {offer}.",
        ),
        counter_open=(
            "We would need {offer}.",
            "Realistically it takes {offer}.",
            "I can pay in {offer}.",
            "We can have the money in {offer}.",
            "We ask for {offer}.",
            "Please give us {offer}.",
        ),
        counter_offer=(
            "I could manage {offer}.",
            "We can make it {offer}.",
            "Then {offer}.",
            "Let me offer {offer}.",
            "We could pay in {offer}.",
            "We can bring it down to {offer}.",
        ),
        counter_hold=(
            "I still need {offer}.",
            "It has to be {offer}.",
            "{offer} is what we have.",
            "We stay with {offer}.",
            "We keep to {offer}.",
            "It is still {offer} for us.",
        ),
    ),
    rubric=(
        "Reward a creditor's message that anchors on early payment, names a concrete number of days, uses leverage "
        "(collateral, recovery stage, days overdue), concedes in small calibrated steps and moves to a close. Penalise "
        "vagueness, giving in to the debtor's delay, repetition, empty threats, and a needless risk that the debtor "
        "walks away."
    ),
    personas=(
        ("vanilla", ""),
        ("pressure", "You press hard: you insist on your figure and on a quick answer."),
        ("victim", "You stress your hardship, and how the debt weighs on you and your people."),
        ("threat", "You warn of insolvency, complaints and lawyers if you are pushed."),
    ),
)
