"""What the browser tests share: window sizes, waiting, and dialogues by the thousand."""

import random
import time
from collections.abc import Callable
from itertools import accumulate

from emodistill.emotions import GOEMOTIONS
from emodistill.records import Episode, Reading, Scenario, Status, Turn


def sized(driver, width: int, scheme: str = "light", media: str = "") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def until(what: Callable[[], object], seconds: float = 10.0) -> object:
    """What it gives once that is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, what
        time.sleep(0.005)
    return found


def spoken(scenarios: list[Scenario], count: int, seed: int) -> list[Episode]:
    """Synthetic episodes of 16 messages: words drawn from 3,000 as language does (Zipf), 10 to 40 a message."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 9))) for _ in range(3000)]
    weights = list(accumulate(1 / rank for rank in range(1, 3001)))
    made = []
    for k in range(count):
        scenario, turns = scenarios[k % len(scenarios)], []
        for i in range(16):
            said = " ".join(rng.choices(words, cum_weights=weights, k=rng.randint(10, 40)))
            offer = round(scenario.value(1 - i / 30 if i % 2 == 0 else i / 30), 1)
            emotion = None if i % 2 else rng.choice(GOEMOTIONS)
            turns.append(
                Turn(i, "counterparty" if i % 2 else "focal", f"{said}: {offer} days.", Reading(offer), emotion)
            )
        agreed = None if k % 3 == 0 else scenario.value(0.5)
        status: Status = "timeout" if agreed is None else "agreement"
        made.append(
            Episode(f"{scenario.id}-r{k:04d}", scenario.id, k // len(scenarios), k, status, agreed, tuple(turns))
        )
    return made
