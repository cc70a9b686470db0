"""The one number a domain bargains over: its unit, and how people say a value of it (`rollout.offers` reads it)."""

from dataclasses import dataclass

_HOUR, _DAY = 60, 24 * 60


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of time. `unit` is a plural English word that `rollout.offers` knows: minutes, hours, days, weeks."""

    unit: str

    @property
    def example(self) -> str:
        """What a JSON reply writes as the offer, in words."""
        return f"a number of {self.unit}"

    @property
    def schema(self) -> dict[str, object]:
        """JSON schema of such a value."""
        return {"type": "integer", "minimum": 0, "maximum": 9999}

    def write(self, value: float) -> str | int:
        """The value as JSON writes it."""
        return round(value)

    def say(self, value: float) -> str:
        """The value in words, for example `26 days`."""
        return f"{value:g} {self.unit[:-1] if value == 1 else self.unit}"


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as minutes past an evening hour; before that hour it is negative, after midnight it goes on."""

    origin: int  # hour of the day, 0..23, that counts as 0

    @property
    def unit(self) -> str:
        """The unit's name, for example `minutes past 9 PM`."""
        return f"minutes past {self.origin % 12 or 12} {'PM' if self.origin >= 12 else 'AM'}"

    @property
    def example(self) -> str:
        """What a JSON reply writes as the offer, in words."""
        return f'"{self.say(105)}"'

    @property
    def schema(self) -> dict[str, object]:
        """JSON schema of such a value."""
        return {"type": "string", "pattern": r"^(1[0-2]|[1-9]):[0-5][0-9] (AM|PM)$"}

    def write(self, value: float) -> str | int:
        """The value as JSON writes it."""
        return self.say(value)

    def say(self, value: float) -> str:
        """The value as a clock time, for example `10:45 PM`."""
        minutes = round(self.origin * _HOUR + value) % _DAY
        hour = minutes // _HOUR
        return f"{hour % 12 or 12}:{minutes % _HOUR:02d} {'PM' if hour >= 12 else 'AM'}"


Quantity = Duration | Clock
