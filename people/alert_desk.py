"""What the people process answers about watches and alerts. No answer holds a notify URL."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from people import notify_urls
from people.alert_book import Alert, AlertBook
from people.audit import Audit
from people.delivery import Deliveries, alert_as_json
from people.house import House
from people.messages import Message
from people.watch_book import Receiver, WatchBook
from people.watches import Kind, Watch, who_in_words, wish_of
from pipeline.answering import Answer
from pipeline.entities import Camera
from pipeline.errors import RekstreamError, SettingsError
from pipeline.requests import Request
from pipeline.spending import MOST

MOST_ALERTS = 500
TEST_SECONDS = 12.0


class AlertDesk:
    """Answers watches.* and alerts.*.

    `cameras` returns those there are, by id, `names` those of people by their ids; `person_id` finds somebody by name or id, or
    raises UnknownPerson.
    """

    def __init__(
        self,
        house: House,
        watches: WatchBook,
        book: AlertBook,
        deliveries: Deliveries,
        cameras: Callable[[], Mapping[str, Camera]],
        names: Callable[[], Mapping[str, str]],
        person_id: Callable[[str], str],
        audit: Audit,
    ) -> None:
        self._house = house
        self._watches = watches
        self._book = book
        self._deliveries = deliveries
        self._cameras = cameras
        self._people = names
        self._person_id = person_id
        self._audit = audit

    def answers(self) -> Mapping[str, Answer]:
        """Return the questions by name."""
        return {
            "watches.list": self._list,
            "watches.add": self._add,
            "watches.give": self._give,
            "watches.remove": self._remove,
            "watches.test": self._test,
            "alerts.list": self._list_alerts,
            "alerts.judge": self._judge,
        }

    def _list(self, _: Request) -> dict[str, Any]:
        return {"watches": self._shown(self._watches.all())}

    def _add(self, request: Request) -> dict[str, Any]:
        wish = wish_of(request.members, self._person_id, self._cameras())
        watch = self._watches.add(wish, self._house.clock.now())
        self._audit.note(request.who, "watch", watch.subject if watch.kind is Kind.PERSON else "", f"{watch.kind} {watch.id}")
        return self._shown([watch])[0]

    def _give(self, request: Request) -> dict[str, Any]:
        """Take over the watches of a file; what is refused of them harms no other, and is said.

        An entry that is as it was keeps its watch, and what of it waits, also while its camera or person is not there.
        """
        entries = {_source_of(members): members for members in request.members["watches"]}
        known, refused = self._watches.keep_given(entries), []
        for source in [source for source in entries if source not in known]:
            try:
                wish = wish_of(entries[source], self._person_id, self._cameras())
                self._watches.add_given(source, wish, self._house.clock.now())
            except RekstreamError as error:
                refused.append(str(error))
        return {"refused": refused}

    def _remove(self, request: Request) -> dict[str, Any]:
        watch = self._watches.get(str(request.members.get("id", "")))
        undelivered = self._watches.remove(watch.id)
        self._audit.note(request.who, "unwatch", watch.subject if watch.kind is Kind.PERSON else "", f"{watch.kind} {watch.id}")
        return {"undelivered": undelivered}

    def _test(self, request: Request) -> dict[str, Any]:
        watch = self._watches.get(str(request.members.get("id", "")))
        message = self._test_message(watch)
        receivers = self._watches.receivers()
        return {"receivers": self._try([receivers[number] for number in watch.receivers], message)}

    def _list_alerts(self, request: Request) -> dict[str, Any]:
        limit, before, watch = (request.members.get(name) for name in ("limit", "before", "watch"))
        if not isinstance(limit, int) or not 1 <= limit <= MOST_ALERTS:
            raise SettingsError(f"limit {str(limit)[:40]!r} must be a number from 1 to {MOST_ALERTS}")
        self._audit.viewed(request.who, "alerts")
        alerts = self._book.newest(limit, None if before is None else float(before), watch)
        return {"alerts": self._alerts_shown(alerts)}

    def _judge(self, request: Request) -> dict[str, Any]:
        if "verdict" not in request.members:
            raise SettingsError("an alert changes by its verdict alone: send confirmed, wrong, or null to take it back")
        alert = self._book.judge(str(request.members.get("id", "")), request.members["verdict"])
        return self._alerts_shown([alert])[0]

    def _shown(self, watches: Iterable[Watch]) -> list[dict[str, Any]]:
        people, receivers, waiting = self._people(), self._watches.receivers(), self._deliveries.outbox.waiting()
        return [_watch_as_json(watch, people, receivers, waiting) for watch in watches]

    def _alerts_shown(self, alerts: list[Alert]) -> list[dict[str, Any]]:
        people = self._people()
        who = {watch.id: who_in_words(watch.kind, watch.subject, people) for watch in self._watches.all()}
        deliveries = self._book.deliveries_of([alert.id for alert in alerts])
        return [
            alert_as_json(alert, Message(alert.id, alert, who.get(alert.watch, str(alert.kind))), deliveries[alert.id])
            for alert in alerts
        ]

    def _test_message(self, watch: Watch) -> Message:
        """Return what an alert of this watch would look like, of a made-up moment at its first camera."""
        now = self._house.clock.now()
        who = who_in_words(watch.kind, watch.subject, self._people())
        camera = "" if watch.kind is Kind.BUDGET else (*watch.cameras, *self._cameras(), "no_camera")[0]
        what: dict[Kind, dict[str, Any]] = {
            Kind.PERSON: {"Id": watch.subject, "Name": who, "Similarity": 100.0},
            Kind.UNKNOWN: {"Id": None},
            Kind.EMOTION: {"Type": watch.subject, "Confidence": 100.0},
            Kind.LABEL: {"Name": watch.subject, "Confidence": 100.0},
            Kind.BUDGET: {"Step": MOST, "SpentDollars": 0.8, "LimitDollars": 1.0, "Until": now},
        }
        alert = Alert(watch.id, watch.kind, f"test {now}", camera, now, now, what=what[watch.kind])
        return Message(alert.id, alert, who, is_test=True)

    def _try(self, receivers: list[Receiver], message: Message) -> list[dict[str, Any]]:
        """Send a message to all of these at once, and return what each answered within TEST_SECONDS."""
        answers: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()

        def send(receiver: Receiver) -> None:
            began, sender = time.monotonic(), self._deliveries.sender_of(receiver)
            outcome = sender.send(message)
            sender.close()
            seconds = round(time.monotonic() - began, 3)
            answers.put((receiver.id, {"ok": outcome.is_delivered, "answer": outcome.answer, "seconds": seconds}))

        for receiver in receivers:
            threading.Thread(target=send, args=(receiver,), name=f"test of {receiver.id}", daemon=True).start()
        found = _collect(answers, len(receivers), time.monotonic() + TEST_SECONDS)
        silent = {"ok": False, "answer": f"no answer within {TEST_SECONDS:g} s", "seconds": TEST_SECONDS}
        return [{**_receiver_as_json(receiver), **found.get(receiver.id, silent)} for receiver in receivers]


def _source_of(members: Mapping[str, Any]) -> str:
    """Return what tells one entry of a file from another, without its secrets."""
    return hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()


def _collect(answers: queue.SimpleQueue[tuple[int, dict[str, Any]]], count: int, deadline: float) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    while len(found) < count and (left := deadline - time.monotonic()) > 0:
        try:
            receiver, answer = answers.get(timeout=left)
        except queue.Empty:
            break
        found[receiver] = answer
    return found


def _watch_as_json(
    watch: Watch, people: Mapping[str, str], receivers: Mapping[int, Receiver], waiting: Mapping[int, tuple[int, str]]
) -> dict[str, Any]:
    """Return a watch as the API shows it."""
    notify = []
    for number in watch.receivers:
        count, trouble = waiting.get(number, (0, ""))
        notify.append({**_receiver_as_json(receivers[number]), "waiting": count, "trouble": trouble or None})
    return {
        "id": watch.id,
        "who": who_in_words(watch.kind, watch.subject, people),
        "kind": str(watch.kind),
        "person": watch.subject if watch.kind is Kind.PERSON else None,
        "cameras": list(watch.cameras),
        "notify": notify,
        "cooldown": watch.cooldown,
        "schedule": watch.schedule,
        "created_at": watch.created_at,
    }


def _receiver_as_json(receiver: Receiver) -> dict[str, Any]:
    return {"receiver": receiver.id, "url": notify_urls.shown(receiver.url)}
