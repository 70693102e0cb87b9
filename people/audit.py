"""The audit log: who enrolled, looked at, changed, took out or forgot people, and when; never their names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from people.database import Database
from people.house import Room
from pipeline.answering import Answer
from pipeline.chores import Chore
from pipeline.errors import SettingsError
from pipeline.requests import Request

VIEWS_SECONDS = 600.0  # in which the same look of the same caller is one entry
KEEP_SECONDS = 366 * 24 * 3600.0
MOST = 1000
LONGEST = 200
_LAST = 2**53
_TIDY_SECONDS = 3600.0


class Audit(Room):
    """What was done with people's data; every method may raise StorageError."""

    tables: ClassVar[tuple[str, ...]] = (
        """CREATE TABLE IF NOT EXISTS audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            until REAL NOT NULL,
            times INTEGER NOT NULL,
            who TEXT NOT NULL,
            what TEXT NOT NULL,
            person TEXT NOT NULL,
            detail TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX IF NOT EXISTS audit_of_person ON audit (person)",
    )

    def note(self, who: str, what: str, person: str = "", detail: str = "") -> None:
        """Write down that `who` did `what` (enrol, correct, export, forget …) with a person; `detail` holds nobody's name."""
        note(self.house.database, who, what, person, detail)

    def viewed(self, who: str, what: str, person: str = "") -> None:
        """Write down that `who` looked at people's data; looks within ten minutes are one entry that counts them."""
        now = time.time()
        with self.house.database.transaction():
            found = self.house.database.rows(
                "SELECT id FROM audit WHERE who = ? AND what = ? AND person = ? AND at > ? ORDER BY id DESC LIMIT 1",
                *(who, what, person, now - VIEWS_SECONDS),
            )
            if found:
                self.house.database.execute("UPDATE audit SET until = ?, times = times + 1 WHERE id = ?", now, found[0][0])
            else:
                self.note(who, what, person)

    def export(self, person_id: str) -> Mapping[str, Any]:
        """Return what was done with a person's data."""
        return {"audit": self._entries(_LAST, person_id, MOST)}

    def forget(self, person_id: str) -> Mapping[str, int]:
        """Leave what was done, and no longer with whom."""
        with self.house.database.transaction():
            done = self.house.database.execute("UPDATE audit SET person = '', detail = '' WHERE person = ?", person_id)
        return {"audit": done.rowcount}

    def remaining(self, person_id: str) -> Mapping[str, int]:
        """Return how many entries name a person."""
        return {"audit": int(self.house.database.rows("SELECT count(*) FROM audit WHERE person = ?", person_id)[0][0])}

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about the log."""
        return {"audit.list": self._list, "audit.viewed": self._viewed, "audit.note": self._note}

    def chores(self) -> tuple[Chore, ...]:
        """Let entries go after a year."""
        return (Chore("audit", _TIDY_SECONDS, self._tidy),)

    def _viewed(self, request: Request) -> Mapping[str, Any]:
        self.viewed(request.who, str(request.members["what"]), str(request.members.get("person", "")))
        return {}

    def _note(self, request: Request) -> Mapping[str, Any]:
        """Write down what another process did with a person's data."""
        told = {name: str(request.members.get(name, ""))[:LONGEST] for name in ("what", "person", "detail")}
        self.note(request.who, **told)
        return {}

    def _list(self, request: Request) -> Mapping[str, Any]:
        limit, before = _whole(request, "limit", 100, MOST), _whole(request, "before", _LAST, _LAST)
        return {"audit": self._entries(before, str(request.members.get("person") or ""), limit)}

    def _entries(self, before: int, person_id: str, limit: int) -> list[dict[str, Any]]:
        rows = self.house.database.rows(
            """SELECT id, at, until, times, who, what, person, detail FROM audit
               WHERE id < ?1 AND (?2 = '' OR person = ?2) ORDER BY id DESC LIMIT ?3""",
            *(before, person_id, limit),
        )
        names = ("id", "at", "until", "times", "who", "what", "person", "detail")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _tidy(self) -> None:
        with self.house.database.transaction():
            self.house.database.execute("DELETE FROM audit WHERE at < ?", time.time() - KEEP_SECONDS)


def note(database: Database, who: str, what: str, person: str = "", detail: str = "") -> None:
    """Write an entry into the log of a database, also from another process than that of people; may raise StorageError."""
    now = time.time()
    with database.transaction():
        database.execute(
            "INSERT INTO audit (at, until, times, who, what, person, detail) VALUES (?, ?, 1, ?, ?, ?, ?)",
            *(now, now, who, what, person, detail),
        )


def _whole(request: Request, member: str, default: int, most: int) -> int:
    value = request.members.get(member)
    if value is None or value == "":
        return default
    try:
        found = int(str(value))
    except ValueError:
        found = 0
    if not 1 <= found <= most:
        raise SettingsError(f"{member} {str(value)[:40]!r}: write a whole number from 1 to {most}")
    return found
