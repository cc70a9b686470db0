import pytest

from emodistill.domains import disaster, hospital, student
from emodistill.domains.columns import amount, past_nine


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [("90", 90), ("90+", 90), ("~60", 60), ("120 (est.)", 120), ("1.5 hours", 90), ("1.5 hours?", 90),
     ("2+ hours", 120), ("1,200", 1200), ("60-90", 60), ("2-3 hours", 120), ("about 45 min", 45), ("0", 0),
     ("2 to 3 hours", 120), ("1h 40m", 100), ("1 hour and 40 minutes", 100), ("1h40", 100), ("2 hours 3 crews", 120),
     ("1\u202f200", 1200), ("1 week", 10_080), ("150 sec", 2.5)],
)  # fmt: skip
def test_an_amount_is_the_first_one_in_the_unit(cell, minutes):
    assert amount(cell, "minutes", 60) == (minutes, False)


@pytest.mark.parametrize(
    ("cell", "days"),
    [("30", 30), ("2 weeks", 14), ("3 months", 90), ("36 hours", 1.5), ("36 hrs", 1.5), ("2 wks", 14), ("1 year", 365)],
)  # fmt: skip
def test_a_wait_in_weeks_or_months_is_counted_in_days(cell, days):
    assert amount(cell, "days", 30) == (days, False)


def test_what_nobody_bargains_over_is_no_amount():
    for cell in ("9" * 400, "100,000", "70 days"):
        with pytest.raises(ValueError, match="is no number of minutes"):
            amount(cell, "minutes", 60)


@pytest.mark.parametrize("cell", ["Variable", "N/A (listed)", "N/A (a bed in 5 days)", "", "unknown", "-"])
def test_a_cell_without_a_number_takes_the_default(cell):
    assert amount(cell, "minutes", 60) == (60, True)


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [("9:00 PM", 0), ("8:30 PM", -30), ("11:59 pm", 179), ("12:00 AM", 180), ("12:30 AM", 210), ("1:00 AM", 240),
     ("6 AM", 540), ("10:15PM", 75), ("10.", 60), ("10:30", 90), ("1:30", 270), ("12:15", 195), ("22:30", 90),
     ("0:30", 210), ("around 2 a.m.", 300), ("12:00 PM", -540), ("Midnight", 180), ("24:00", 180), ("10.15 PM", 75),
     ("22h15", 75), ("2215", 75), ("0130", 270)],
)  # fmt: skip
def test_bedtimes_wrap_over_midnight(cell, minutes):
    assert past_nine(cell) == (minutes, False)


def test_a_bedtime_without_a_time_takes_the_default_or_is_refused():
    for cell in ("N/A (wants to sleep)", "N/A (awake since 5 AM)", "12 hours later"):
        assert past_nine(cell, 240) == (240, True)
    for cell in ("soon", "13:00 PM", "25:00", "9:75 PM", "0:10 PM"):
        with pytest.raises(ValueError, match="no clock time"):
            past_nine(cell)


def drawn(domain, **cells):
    row = {column.name: cells.get(column.name, "x") for column in domain.DOMAIN.columns}
    made = domain.DOMAIN.from_row(row)
    return made.focal_target, made.counterparty_target, made.imputed


@pytest.mark.parametrize(
    ("endurance", "eta", "expected"),
    [("90", "120", (120, 90, False)), ("90", "119", (120, 90, False)), ("90", "100", (120, 90, False)),
     ("5", "20", (40, 10, False)), ("0", "200", (200, 10, False)), ("Variable", "200", (200, 60, True)),
     ("30", "N/A", (90, 30, True)), ("80", "Variable", (110, 80, True)), ("N/A", "N/A", (90, 60, True)),
     ("1 hour", "90+", (90, 60, False))],
)  # fmt: skip
def test_disaster_targets(endurance, eta, expected):
    cells = {"Estimated_Survivor_Endurance(minutes)": endurance, "Rescue_Team_ETA(minutes)": eta}
    assert drawn(disaster, **cells) == expected


@pytest.mark.parametrize(
    ("waitlist", "reduction", "urgency", "expected"),
    [("45", "30", "High", (45, 15, False)), ("28", "0", "Medium", (35, 28, False)),
     ("120", "90", "Low", (150, 30, False)),
     ("20", "0", "low", (50, 20, False)), ("10", "20", "High", (10, 1, False)), ("1", "5", "High", (8, 1, False)),
     ("0", "0", "High", (8, 1, False)), ("N/A (listed)", "10", "High", (30, 20, True)),
     ("60", "Variable", "Medium", (67, 60, True)), ("N/A", "N/A", "Low", (60, 30, True))],
)  # fmt: skip
def test_hospital_targets(waitlist, reduction, urgency, expected):
    reduced = "Estimated_Time_Reduction_If_Accept_Junior_Surgeon(days)"
    assert drawn(hospital, Days_On_Waitlist=waitlist, Urgency_Level=urgency, **{reduced: reduction}) == expected


@pytest.mark.parametrize(
    ("coach", "wanted", "expected"),
    [("10:30 PM", "2:00 AM", (90, 300, False)), ("10:00 PM", "1:00 AM", (60, 240, False)),
     ("10:00 PM", "12:59 AM", (60, 240, False)), ("8:45 PM", "10:30 PM", (-15, 165, False)),
     ("11:00 PM", "10:00 PM", (120, 300, False)), ("9:00 PM", "N/A", (0, 240, True)),
     ("11:00 PM", "N/A", (120, 300, True))],
)  # fmt: skip
def test_student_targets(coach, wanted, expected):
    assert drawn(student, Robots_Requested_Bedtime=coach, Student_Wanted_Bedtime=wanted) == expected


def test_a_coach_without_a_bedtime_cannot_be_helped():
    with pytest.raises(ValueError, match="'Variable' holds no clock time"):
        drawn(student, Robots_Requested_Bedtime="Variable", Student_Wanted_Bedtime="1:00 AM")
