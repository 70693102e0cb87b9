"""The watches that are kept, and the receivers they name, in people.sqlite."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from people.database import Database
from people.watches import Kind, Watch, Wish
from pipeline.errors import SettingsError, UnknownWatch

MOST_WATCHES = 200
MOST_RECEIVERS = 50  # each has a thread while something is to be delivered

_COLUMNS = "id, kind, subject, cameras, receivers, cooldown, schedule, created_at"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where alerts go; `url` is a secret."""

    id: int
    url: str = field(repr=False)


class WatchBook:
    """Keeps watches; methods may raise StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Watch]:
        """Return the watches, the oldest first."""
        return [_watch(row) for row in self._database.rows(f"SELECT {_COLUMNS} FROM watches ORDER BY created_at, id")]  # noqa: S608  # our own columns

    def get(self, watch_id: str) -> Watch:
        """Return one watch; raises UnknownWatch."""
        found = next((watch for watch in self.all() if watch.id == watch_id), None)
        if found is None:
            raise UnknownWatch(f"there is no watch {watch_id[:40]!r}: `rekstream watch list` names them")
        return found

    def add(self, wish: Wish, now: float) -> Watch:
        """Keep a new watch; raises SettingsError when there is such a one already, or there are too many."""
        with self._database.transaction():
            known = self.all()
            if len(known) >= MOST_WATCHES:
                raise SettingsError(f"there are {MOST_WATCHES} watches already: remove one first")
            receivers = tuple(self._receiver(url) for url in wish.urls)
            watch = Watch(
                f"w_{secrets.token_hex(4)}", wish.kind, wish.subject, wish.cameras, receivers, wish.cooldown, wish.schedule, now
            )
            same = next((one for one in known if _alike(one, watch)), None)
            if same is not None:
                raise SettingsError(f"watch {same.id} says the same already: remove it first to change it")
            lists = json.dumps(watch.cameras), json.dumps(watch.receivers)
            values = (watch.id, watch.kind, watch.subject, *lists, watch.cooldown, watch.schedule, watch.created_at)
            self._database.execute("INSERT INTO watches VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)
        return watch

    def add_given(self, source: str, wish: Wish, now: float) -> Watch:
        """Keep a new watch that a file asks for, and by what entry; raises SettingsError as `add` does."""
        with self._database.transaction():
            watch = self.add(wish, now)
            self._database.execute("INSERT INTO file_watches VALUES (?, ?)", watch.id, source)
        return watch

    def keep_given(self, sources: Iterable[str]) -> set[str]:
        """Drop the watches whose entries are not in the file any more; return the entries whose watches stay as they are."""
        with self._database.transaction():
            known = dict(self._database.rows("SELECT source, id FROM file_watches"))
            for source in known.keys() - set(sources):
                self.remove(known.pop(source))
        return set(known)

    def remove(self, watch_id: str) -> int:
        """Drop a watch and what of it still waits for delivery; return how many deliveries that were. Raises UnknownWatch."""
        with self._database.transaction():
            self.get(watch_id)
            self._database.execute("DELETE FROM watches WHERE id = ?", watch_id)
            self._database.execute("DELETE FROM file_watches WHERE id = ?", watch_id)
            self._database.execute("DELETE FROM appearances WHERE watch = ?", watch_id)
            of_watch = "state = 'waiting' AND alert IN (SELECT id FROM alerts WHERE watch = ?)"
            dropped = self._database.execute(f"DELETE FROM deliveries WHERE {of_watch}", watch_id).rowcount  # noqa: S608  # ours
            self._forget_receivers()
        return int(dropped)

    def remove_of(self, person: str) -> int:
        """Drop all watches for a person; return how many."""
        found = self._of(person)
        for watch in found:
            self.remove(watch.id)
        return len(found)

    def count_of(self, person: str) -> int:
        """Return how many watches there are for a person."""
        return len(self._of(person))

    def receivers(self) -> Mapping[int, Receiver]:
        """Return the receivers by their numbers."""
        rows = self._database.rows("SELECT id, url FROM receivers ORDER BY id")
        return {number: Receiver(number, url) for number, url in rows}

    def _of(self, person: str) -> list[Watch]:
        return [watch for watch in self.all() if watch.kind is Kind.PERSON and watch.subject == person]

    def _receiver(self, url: str) -> int:
        found = self._database.rows("SELECT id FROM receivers WHERE url = ?", url)
        if found:
            return int(found[0][0])
        if len(self.receivers()) >= MOST_RECEIVERS:
            raise SettingsError(f"there are {MOST_RECEIVERS} receivers already: remove a watch, or notify one of those")
        return int(self._database.execute("INSERT INTO receivers (url) VALUES (?)", url).lastrowid or 0)

    def _forget_receivers(self) -> None:
        """Drop the URLs that no watch names any more."""
        named = {number for watch in self.all() for number in watch.receivers}
        for number in self.receivers().keys() - named:
            self._database.execute("DELETE FROM receivers WHERE id = ?", number)


def _watch(row: Sequence[Any]) -> Watch:
    watch_id, kind, subject, cameras, receivers, cooldown, schedule, created_at = row
    lists = tuple(json.loads(cameras)), tuple(json.loads(receivers))
    return Watch(watch_id, Kind(kind), subject, *lists, cooldown, schedule, created_at)


def _alike(one: Watch, other: Watch) -> bool:
    """Say whether two watches tell the same receivers of the same."""
    return (one.kind, one.subject, set(one.cameras), set(one.receivers), one.schedule) == (
        other.kind,
        other.subject,
        set(other.cameras),
        set(other.receivers),
        other.schedule,
    )
