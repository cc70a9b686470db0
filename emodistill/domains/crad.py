"""Credit recovery (CRAD): a creditor and a debtor bargain over the days until an overdue debt is paid.

Fewer is better for the creditor.
"""

import math
import random

from emodistill.domains.base import Domain, Drawn, Speech
from emodistill.domains.quantities import Duration
from emodistill.records import Scenario, Seat

# fact name -> column of the published CSV
_COLUMNS = {
    "creditor": "Creditor Name",
    "debtor": "Debtor Name",
    "credit type": "Credit Type",
    "balance": "Outstanding Balance (USD)",
    "days overdue": "Days Overdue",
    "reason": "Reason for Overdue",
    "collateral": "Collateral",
    "stage": "Recovery Stage",
    "cash flow": "Cash Flow Situation",
    "proposal": "Proposed Solution",
}
_FOCAL, _COUNTERPARTY = "Creditor Target Days", "Debtor Target Days"

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
    return Drawn(float(rng.randint(5, 30)), float(rng.randint(32, 176)), tuple(values.items()))


def _days(row: dict[str, str], column: str) -> float:
    try:
        days = float(row[column])
    except ValueError:
        days = math.nan
    if not 0 < days < 100_000:
        raise ValueError(f"{column} is {row[column]!r}, not a number of days")
    return days


def _from_row(row: dict[str, str]) -> Drawn:
    facts = tuple((name, row[column]) for name, column in _COLUMNS.items())
    return Drawn(_days(row, _FOCAL), _days(row, _COUNTERPARTY), facts)


def _brief(scenario: Scenario, seat: Seat) -> str:
    fact = dict(scenario.facts)
    debt = (
        f"{fact['debtor']} owes {fact['creditor']} {fact['balance']} USD "
        f"({fact['credit type']}, {fact['days overdue']} days overdue)"
    )
    if seat == "focal":
        return (
            f"You collect for {fact['creditor']}. {debt}. Their reason: {fact['reason']}. "
            f"Collateral: {fact['collateral']}. "
            f"Agree on the days until payment. You want {scenario.focal_target:g} days; fewer is better for you. "
            'Reply in one or two sentences and name a number of days, or say "I accept".'
        )
    return (
        f"You speak for {fact['debtor']}. {debt}. Reason: {fact['reason']}. Cash flow: {fact['cash flow']}. "
        f"Agree on the days until payment. You want {scenario.counterparty_target:g} days; more is better for you. "
        'Reply in one or two sentences and name a number of days, say "I accept", or walk away.'
    )


DOMAIN = Domain(
    key="crad",
    quantity=Duration("days"),
    focal_role="creditor",
    counterparty_role="debtor",
    columns=(*_COLUMNS.values(), _FOCAL, _COUNTERPARTY),
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
        ),
        offer=(
            "I can offer {offer}.",
            "I can go to {offer}.",
            "Let us say {offer}.",
            "I propose {offer}.",
            "Pay within {offer}.",
        ),
        hold=("I stay at {offer}.", "My offer is still {offer}.", "I have to keep to {offer}."),
        counter_open=("We would need {offer}.", "Realistically it takes {offer}.", "I can pay in {offer}."),
        counter_offer=(
            "I could manage {offer}.",
            "We can make it {offer}.",
            "Then {offer}.",
            "Let me offer {offer}.",
        ),
        counter_hold=("I still need {offer}.", "It has to be {offer}.", "{offer} is what we have."),
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
