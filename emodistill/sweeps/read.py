"""Read the authors' published sweep format: a JSON object with `episode_results`, liberal in its spelling.

What a file states of an episode counts: a turn's `requested_days` is its offer, its `state` says whether it accepts or
walks away, `final_state` and `final_days` how it ended. What it does not state is read from the words. Scores and
rewards are not taken over: judge and rewards here are ours.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emodistill import files
from emodistill.chat import whole
from emodistill.domains import DOMAINS, domain_named
from emodistill.domains.base import Domain
from emodistill.errors import BadInput
from emodistill.records import Episode, Reading, Scenario, Seat, Status, Turn
from emodistill.rollout.offers import read
from emodistill.seeds import seed_of
from emodistill.sweeps import spelling
from emodistill.sweeps.records import LeftOut, Played, Sweep
from emodistill.sweeps.scenarios import Described, scenario
from emodistill.sweeps.spelling import Unusable, fields, first, shown

_LATEST = 1_000_000  # highest number of a rollout that is kept
# What a file of a domain says somewhere in its type, its settings or its scenarios' ids.
_HINTS = {
    "crad": ("credit", "debt"),
    "disaster": ("rescue", "desrd"),
    "hospital": ("surgery",),
    "student": ("sleep", "education", "ssad"),
}


def read_sweep(paths: Iterable[Path], key: str | None, known: dict[str, Scenario], skip_bad: bool) -> Sweep:
    """All episodes of the files, which are of one domain; `known` are the run's scenarios, if it has any.

    `BadInput` names file, index and reason of the first that cannot be used; with `skip_bad` those are left out.
    Episodes that had failed when they were played are left out in any case.
    """
    reader = _Reader(known)
    for path in paths:
        reader.take(path, key)
    bad = [one for one in reader.left_out if not one.failed]
    if bad and not skip_bad:
        more = f" ({len(bad) - 1} more of {len(bad) + len(reader.played)} after it.)" if len(bad) > 1 else ""
        raise BadInput(f"{bad[0].file}, episode {bad[0].index}: {bad[0].reason}. Mend that episode, or leave out all "
                       f"that cannot be used with --skip-bad.{more}")  # fmt: skip
    if not reader.played:
        which = f"; the first: {reader.left_out[0].reason}" if reader.left_out else ""
        raise BadInput(f"None of the {len(reader.left_out)} episodes in {', '.join(reader.files)} can be used{which}. "
                       "Give a sweep that has some.")  # fmt: skip
    return reader.sweep()


class _Reader:
    """Collects the episodes of one file after the other."""

    def __init__(self, known: dict[str, Scenario]) -> None:
        self._known = known
        self._domain: Domain | None = None
        self._made: dict[str, Scenario] = {}
        self._taken: set[str] = set()  # ids of episodes
        self.files: dict[str, str] = {}
        self.played: list[Played] = []
        self.left_out: list[LeftOut] = []

    def sweep(self) -> Sweep:
        """All of it."""
        assert self._domain is not None
        return Sweep(self._domain.key, self.files, tuple(self._made.values()), tuple(self.played), tuple(self.left_out))

    def take(self, path: Path, key: str | None) -> None:
        """Read one file."""
        content = _bytes(path)
        if path.name in self.files:
            raise BadInput(f"Two files are called {path.name}. Rename one, so that a run can say where it is from.")
        self.files[path.name] = hashlib.sha256(content).hexdigest()
        about, rows = _episodes(content, path)
        described = Described(_beside(path), about.get("scenarios"))
        domain = domain_named(key) if key else _recognised(about, rows, path)
        if self._domain not in (None, domain):
            raise BadInput(
                f"{path} is of {domain.key}, and the file before it is not. Import each domain into a run of its own."
            )
        self._domain = domain
        for index, row in enumerate(rows):
            try:
                if not isinstance(row, dict):
                    raise Unusable("it is no JSON object")
                episode = fields(row)
                failed = first(episode, spelling.FAILED)
                if failed or episode.get("finalstate") == "error":
                    said = " ".join(whole(str(failed or "")).split())[:120]
                    self.left_out.append(LeftOut(path.name, index, f"it failed when it was played: {said}", True))
                    continue
                self.played.append(self._played(episode, described, domain))
            except Unusable as error:
                self.left_out.append(LeftOut(path.name, index, str(error)))

    def _played(self, row: dict[str, Any], described: Described, domain: Domain) -> Played:
        key, about = described.of(row)
        of = scenario(key, about, row, domain, self._known)
        if self._made.get(of.id, of) != of:
            raise Unusable(f"its scenario {shown(key)} has other targets or facts than in an episode before it")
        turns, stated = _turns(row, domain)
        status, agreed = _ended(row, turns, domain)
        self._made[of.id] = of
        number = self._number(first(row, spelling.ITERATION), of.id)
        name = f"{of.id}-r{number:04d}"
        self._taken.add(name)
        episode = Episode(name, of.id, number, seed_of("imported", name), status or "timeout", agreed, turns)
        return Played(episode, status is not None, stated)

    def _number(self, said: Any, of: str) -> int:
        """The episode's number among its scenario's: as the file says, or the next one that is free."""
        usable = isinstance(said, int) and not isinstance(said, bool) and 0 <= said < _LATEST
        number = said if usable else 0
        while f"{of}-r{number:04d}" in self._taken:
            number += 1
        return number


def _turns(row: dict[str, Any], domain: Domain) -> tuple[tuple[Turn, ...], tuple[bool, ...]]:
    """The messages, and for each whether its offer is the file's."""
    said = first(row, spelling.DIALOG)
    if not isinstance(said, list) or not said:
        raise Unusable("it has no dialog")
    messages = [fields(message) for message in said]
    for k, message in enumerate(messages):
        expected: Seat = "counterparty" if k % 2 else "focal"
        if spelling.seat_of(first(message, spelling.SPEAKER), domain) != expected:
            raise Unusable(f"message {k} is not the {expected} side's; the sides alternate, the focal one first")
    emotions = _emotions(row, messages[::2])
    heard = [_heard(message, k, domain) for k, message in enumerate(messages)]
    turns = tuple(
        Turn(k, "counterparty" if k % 2 else "focal", text.strip(), reading, None if k % 2 else emotions[k // 2], text)
        for k, (text, reading, _) in enumerate(heard)
    )
    return turns, tuple(stated for *_, stated in heard)


def _heard(message: dict[str, Any], k: int, domain: Domain) -> tuple[str, Reading, bool]:
    """A message's words, what it does, and whether its offer is the file's."""
    said = first(message, spelling.WORDS)
    if not isinstance(said, str) or not said.strip():
        raise Unusable(f"message {k} has no words")
    text = whole(said)
    seat: Seat = "counterparty" if k % 2 else "focal"
    words, offer = read(text.strip(), domain.quantity, domain.role(seat)), first(message, spelling.OFFER)
    accepts, walks = spelling.decided(first(message, spelling.STATE), words)
    if offer is None:
        return text, Reading(words.offer, accepts, walks), False
    return text, Reading(spelling.number(offer, domain.quantity, f"the offer of message {k}"), accepts, walks), True


def _emotions(row: dict[str, Any], focal: list[dict[str, Any]]) -> list[str]:
    """A label for each focal message: of the episode's sequence, which may go on after the last, or of the messages."""
    sequence = first(row, spelling.EMOTIONS)
    if sequence is None:
        sequence = [message.get("emotion") for message in focal]
    if not isinstance(sequence, list):
        raise Unusable(f"its emotions are {shown(sequence)}, not a list")
    if len(sequence) < len(focal):
        raise Unusable(f"it has {len(sequence)} emotion(s) for {len(focal)} messages of the focal side")
    return [spelling.emotion(label) for label in sequence]


def _ended(row: dict[str, Any], turns: tuple[Turn, ...], domain: Domain) -> tuple[Status | None, float | None]:
    """How the file says that it ended, and at what value; (None, None) if it does not say, and the rules decide."""
    status, success = spelling.ending(first(row, spelling.FINAL_STATE)), first(row, spelling.SUCCESS)
    value = first(row, spelling.FINAL_VALUE)
    if isinstance(success, bool):
        if status is not None and (status == "agreement") != success:
            raise Unusable(f"it ended in {status}, and says that success is {str(success).lower()}")
        unmade: Status = "breakdown" if turns[-1].reading.walks else "timeout"
        status = status or ("agreement" if success else unmade)
    elif status is None and value is not None:
        status = "agreement"
    if status != "agreement":
        return status, None
    if value is None:
        raise Unusable("it ended in an agreement, and does not say at what value")
    return status, spelling.number(value, domain.quantity, "the agreed value")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"There is no sweep file {path}. Name an existing JSON file.") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder. Name the JSON files in it.") from None
    except OSError as error:
        raise BadInput(f"The sweep file {path} cannot be read: {error.strerror}.") from None


def _episodes(content: bytes, path: Path) -> tuple[dict[str, Any], list[Any]]:
    """The file's object with plain names, and its list of episodes; a bare list of episodes is taken, too."""
    try:
        found = files.loads(content)
    except ValueError as error:
        raise BadInput(f"{path} is not JSON ({error}). Give a sweep in the authors' published format.") from None
    if isinstance(found, list):
        return {}, found
    rows = first(fields(found), spelling.EPISODES)
    if not isinstance(rows, list):
        raise BadInput(
            f"{path} holds no sweep: it has no list `episode_results`. Give a sweep in the authors' published format."
        )
    return fields(found), rows


def _beside(path: Path) -> Any:
    """The list of scenarios that the authors' sweeps have beside them; None if there is none."""
    beside = path.parent / "scenarios.json"
    try:
        return files.loads(beside.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BadInput(f"{beside}, which tells the sweep's scenarios, cannot be read ({error}). Mend it, or move it "
                       "away: then scenarios are made of what the sweep itself states.") from None  # fmt: skip


def _recognised(whole: dict[str, Any], rows: list[Any], path: Path) -> Domain:
    """The domain whose words the file uses of itself; `BadInput` if of none or several."""
    names = ("domain", "experimenttype", "dataset", "scenariotype")
    said = [about.get(name) for about in (whole, fields(whole.get("config"))) for name in names]
    for row in map(fields, rows):
        of = first(row, spelling.SCENARIO)
        said += [row.get("domain"), fields(of).get("id") if isinstance(of, dict) else of]
    words = " ".join({text.lower() for text in said if isinstance(text, str)})
    found = [key for key in DOMAINS if any(hint in words for hint in (key, *_HINTS.get(key, ())))]
    if not found and any("creditortargetdays" in fields(row) for row in rows):
        found = ["crad"]
    if len(found) != 1:
        maybe = f" ({' or '.join(found)}?)" if found else ""
        raise BadInput(
            f"{path} does not say of which domain it is{maybe}. Name it with --domain: {', '.join(DOMAINS)}."
        )
    return domain_named(found[0])
