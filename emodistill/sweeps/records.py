"""What is read of a foreign sweep. Frozen, and without any JSON left."""

from dataclasses import dataclass

from emodistill.records import Episode, Scenario


@dataclass(frozen=True, slots=True)
class Played:
    """One episode, and what of it the file says itself: the rest is read from the words.

    Without a stated outcome the episode stands as a timeout until the run's rules decide (`store.take_up`).
    """

    episode: Episode
    outcome_stated: bool
    offers_stated: tuple[bool, ...]  # of each turn


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An episode that is not used. `failed`: it had failed when it was played, so there is nothing to mend."""

    file: str
    index: int  # in the file's list of episodes, from 0
    reason: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Sweep:
    """All that some files hold. `files`: name to checksum."""

    domain: str
    files: dict[str, str]
    scenarios: tuple[Scenario, ...]
    played: tuple[Played, ...]
    left_out: tuple[LeftOut, ...]
