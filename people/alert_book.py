"""The alerts that are kept and the outbox of their deliveries, in people.sqlite."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from people.database import Database
from people.watches import Kind
from pipeline.errors import SettingsError, UnknownAlert

VERDICTS = ("confirmed", "wrong")

_COLUMNS = "id, watch, kind, cause, camera, subject, person, visit, track, result, captured_at, at, what, verdict"
_ALERTS = f"SELECT {_COLUMNS} FROM alerts"  # noqa: S608  # our own columns, here and below


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a watch waited for.

    `cause` is what it is made for once a watch: a visit, or the moment in which something began. `subject` is whom the watch
    keeps still about after it. `what` are the members that belong to its kind (Name, Similarity; Type, Confidence …).
    `captured_at` is when the picture was taken, `at` when the alert was made, seconds since 1970.
    """

    watch: str
    kind: Kind
    cause: str
    camera: str
    captured_at: float
    at: float
    subject: str = ""
    person: str = ""
    visit: str = ""
    track: str = ""
    result: str = ""
    what: Mapping[str, Any] = field(default_factory=dict)
    verdict: str | None = None

    @property
    def id(self) -> str:
        """The alert's name, the same whenever it is made of the same cause: receivers know a repeated delivery by it."""
        return f"a_{hashlib.sha256(f'{self.watch} {self.cause}'.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert on its way to one receiver; `since` is when it was put into the outbox."""

    id: int
    receiver: int
    attempts: int
    since: float
    alert: Alert


class AlertBook:
    """Keeps alerts; methods may raise StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, alert: Alert, receivers: Iterable[int], cooldown: float) -> bool:
        """Keep an alert and put its deliveries into the outbox, together; False when it is there or the watch keeps still."""
        with self._database.transaction():
            known = "SELECT 1 FROM alerts WHERE watch = ? AND cause = ?"
            near = "SELECT 1 FROM alerts WHERE watch = ? AND camera = ? AND subject = ? AND abs(captured_at - ?) < ?"
            about = (alert.watch, alert.camera, alert.subject, alert.captured_at, cooldown)
            if self._database.rows(known, alert.watch, alert.cause) or self._database.rows(near, *about):
                return False
            self._database.execute(f"INSERT INTO alerts ({_COLUMNS}) VALUES ({', '.join('?' * 14)})", *_values(alert))  # noqa: S608
            for receiver in receivers:
                put = "INSERT INTO deliveries (alert, receiver, next_at, since) VALUES (?, ?, 0, ?)"
                self._database.execute(put, alert.id, receiver, alert.at)
        return True

    def get(self, alert_id: str) -> Alert:
        """Return one alert; raises UnknownAlert."""
        rows = self._database.rows(f"{_ALERTS} WHERE id = ?", alert_id)
        if not rows:
            raise UnknownAlert(f"there is no alert {alert_id[:40]!r}: `rekstream alerts` names them")
        return _alert(rows[0])

    def newest(self, limit: int, before: float | None = None, watch: str | None = None) -> list[Alert]:
        """Return the newest alerts, the newest first: those made `before` a time, or of one watch, when that is said."""
        query = f"{_ALERTS} WHERE (?1 IS NULL OR at < ?1) AND (?2 IS NULL OR watch = ?2) ORDER BY at DESC, id DESC LIMIT ?3"
        return [_alert(row) for row in self._database.rows(query, before, watch, limit)]

    def of(self, person: str) -> list[Alert]:
        """Return the alerts of a person, the newest first."""
        return [_alert(row) for row in self._database.rows(f"{_ALERTS} WHERE person = ? ORDER BY at DESC, id DESC", person)]

    def judge(self, alert_id: str, verdict: object) -> Alert:
        """Keep what people say of an alert: confirmed, wrong, or None for nothing; raises SettingsError or UnknownAlert."""
        if verdict is not None and verdict not in VERDICTS:
            raise SettingsError(f"verdict {str(verdict)[:40]!r} is none: say confirmed, wrong, or null to take it back")
        with self._database.transaction():
            self.get(alert_id)
            self._database.execute("UPDATE alerts SET verdict = ? WHERE id = ?", verdict, alert_id)
        return self.get(alert_id)

    def own(self, visit: str, person: str) -> None:
        """Note that a visit is somebody's: its alerts that name nobody are about them, and go when they are forgotten."""
        with self._database.transaction():
            self._database.execute("UPDATE alerts SET person = ? WHERE visit = ? AND person = ''", person, visit)

    def disown(self, visit: str, person: str) -> None:
        """Call the alerts of a visit wrong that took it for this person; the others are about nobody known."""
        with self._database.transaction():
            about = "visit = ? AND person = ?"
            wrong = f"UPDATE alerts SET verdict = 'wrong' WHERE {about} AND kind = 'person'"  # noqa: S608
            self._database.execute(wrong, visit, person)
            self._database.execute(f"UPDATE alerts SET person = '' WHERE {about} AND kind <> 'person'", visit, person)  # noqa: S608

    def forget(self, person: str) -> int:
        """Remove all alerts of a person, delivered or not; return how many there were."""
        with self._database.transaction():
            of_person = "alert IN (SELECT id FROM alerts WHERE person = ?)"
            self._database.execute(f"DELETE FROM deliveries WHERE {of_person}", person)  # noqa: S608
            return int(self._database.execute("DELETE FROM alerts WHERE person = ?", person).rowcount)

    def erase(self, camera: str, since: float, until: float) -> int:
        """Remove all alerts of pictures that a camera took between two times, delivered or not; return how many there were."""
        with self._database.transaction():
            there = "camera = ? AND captured_at >= ? AND captured_at < ?"
            of_them = f"DELETE FROM deliveries WHERE alert IN (SELECT id FROM alerts WHERE {there})"  # noqa: S608
            self._database.execute(of_them, camera, since, until)
            return int(self._database.execute(f"DELETE FROM alerts WHERE {there}", camera, since, until).rowcount)  # noqa: S608

    def count_of(self, person: str) -> int:
        """Return how many alerts there are of a person."""
        return int(self._database.rows("SELECT count(*) FROM alerts WHERE person = ?", person)[0][0])

    def expire(self, before: float) -> int:
        """Remove alerts that were made before a time; return how many."""
        with self._database.transaction():
            old = "alert IN (SELECT id FROM alerts WHERE at < ?)"
            self._database.execute(f"DELETE FROM deliveries WHERE {old}", before)  # noqa: S608
            return int(self._database.execute("DELETE FROM alerts WHERE at < ?", before).rowcount)

    def deliveries_of(self, alert_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Return how the deliveries of alerts went, by alert: receiver, state, attempts, trouble."""
        marks = ", ".join("?" * len(alert_ids))
        query = f"SELECT alert, receiver, state, attempts, trouble FROM deliveries WHERE alert IN ({marks}) ORDER BY id"  # noqa: S608
        found: dict[str, list[dict[str, Any]]] = {alert_id: [] for alert_id in alert_ids}
        for alert_id, receiver, state, attempts, trouble in self._database.rows(query, *alert_ids):
            found[alert_id].append({"receiver": receiver, "state": state, "attempts": attempts, "trouble": trouble})
        return found


class Outbox:
    """The deliveries that wait; methods may raise StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def receivers(self) -> list[int]:
        """Return the receivers for whom something waits."""
        rows = self._database.rows("SELECT DISTINCT receiver FROM deliveries WHERE state = 'waiting' ORDER BY receiver")
        return [int(receiver) for (receiver,) in rows]

    def next(self, receiver: int, now: float) -> Delivery | None:
        """Return the oldest delivery to a receiver that is due; None when none is."""
        due = "SELECT id, alert, attempts, since FROM deliveries WHERE state = 'waiting' AND receiver = ? AND next_at <= ?"
        for number, alert_id, attempts, since in self._database.rows(f"{due} ORDER BY id LIMIT 1", receiver, now):
            alert = _alert(self._database.rows(f"{_ALERTS} WHERE id = ?", alert_id)[0])
            return Delivery(number, receiver, attempts, since, alert)
        return None

    def delivered(self, delivery: Delivery, now: float) -> None:
        """Note that a delivery has arrived."""
        self._end(delivery, "delivered", now, "")

    def failed(self, delivery: Delivery, next_at: float, trouble: str) -> None:
        """Note that a delivery failed, and when it is tried again."""
        change = "UPDATE deliveries SET attempts = ?, next_at = ?, trouble = ? WHERE id = ? AND state = 'waiting'"
        with self._database.transaction():
            self._database.execute(change, delivery.attempts + 1, next_at, trouble, delivery.id)

    def gave_up(self, delivery: Delivery, now: float, trouble: str) -> None:
        """Note that a delivery is not tried again."""
        self._end(delivery, "given_up", now, trouble)

    def give_up_older(self, receiver: int, than: float, now: float, trouble: str) -> int:
        """Give up what waits for a receiver since before a time; return how many deliveries that were."""
        change = (
            "UPDATE deliveries SET state = 'given_up', ended_at = ?, trouble = ? "
            "WHERE state = 'waiting' AND receiver = ? AND since < ?"
        )
        with self._database.transaction():
            return int(self._database.execute(change, now, trouble, receiver, than).rowcount)

    def size(self) -> tuple[int, float | None]:
        """Return how many deliveries wait, and since when the oldest of them does."""
        count, oldest = self._database.rows("SELECT count(*), min(since) FROM deliveries WHERE state = 'waiting'")[0]
        return int(count), oldest

    def waiting(self) -> dict[int, tuple[int, str]]:
        """Return by receiver how many deliveries wait, and what was the trouble last."""
        query = "SELECT receiver, count(*), max(trouble) FROM deliveries WHERE state = 'waiting' GROUP BY receiver"
        return {int(receiver): (int(count), str(trouble)) for receiver, count, trouble in self._database.rows(query)}

    def _end(self, delivery: Delivery, state: str, now: float, trouble: str) -> None:
        change = "UPDATE deliveries SET state = ?, ended_at = ?, attempts = ?, trouble = ? WHERE id = ?"
        with self._database.transaction():
            self._database.execute(change, state, now, delivery.attempts + 1, trouble, delivery.id)


def _values(alert: Alert) -> tuple[Any, ...]:
    about = (alert.camera, alert.subject, alert.person, alert.visit, alert.track, alert.result)
    times = (alert.captured_at, alert.at, json.dumps(dict(alert.what)), alert.verdict)
    return (alert.id, alert.watch, str(alert.kind), alert.cause, *about, *times)


def _alert(row: Sequence[Any]) -> Alert:
    _, watch, kind, cause, camera, subject, person, visit, track, result, captured_at, at, what, verdict = row
    about = {"subject": subject, "person": person, "visit": visit, "track": track, "result": result}
    return Alert(watch, Kind(kind), cause, camera, captured_at, at, **about, what=json.loads(what), verdict=verdict)
