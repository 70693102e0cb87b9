"""Delivers what is in the outbox: a lane, with a thread of its own, for each receiver for whom something waits.

One receiver's lane sends one message after the other, the oldest first. When the receiver is away or has a fault, the whole
lane pauses, 1 s, 2 s, 4 s … up to five minutes, each with a random share; when it refuses one message, only that one waits.
After 24 hours what waits for a receiver that still fails is given up, and counted. A message may arrive twice when a kill comes
between its arrival and the note of it: receivers know it again by the alert's id.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis

from people import notify_urls
from people.alert_book import Alert, AlertBook, Delivery, Outbox
from people.alert_pictures import AlertPictures
from people.house import House
from people.messages import Message
from people.senders import How, Outcome, Sender, keep_apprise_quiet, sender_of
from people.watch_book import Receiver, WatchBook
from people.watches import who_in_words
from pipeline.entities import Camera
from pipeline.errors import StorageError, UnknownAlert, UnknownWatch
from pipeline.happenings import Happenings
from pipeline.metrics import AlertMetrics

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
IDLE_SECONDS = 30.0  # after which a lane with nothing to do ends
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
GIVE_UP_SECONDS = 24 * 3600.0
STOP_SECONDS = 2.0
MOST_DOUBLINGS = 20


class Deliveries:
    """Keeps the lanes; `expect` is told each alert that is made, inside its transaction, and says so once it is kept."""

    def __init__(
        self, house: House, watches: WatchBook, camera: Callable[[str], Camera | None], names: Callable[[], Mapping[str, str]]
    ) -> None:
        self.outbox = Outbox(house.database)
        self._house = house
        self._watches = watches
        self._names = names
        self._book = AlertBook(house.database)
        self._pictures = AlertPictures(house, camera)
        self._metrics = AlertMetrics(house.registry, self._size)
        self._happenings = Happenings(house.broker.scripts)
        self._fresh: queue.SimpleQueue[Alert] = queue.SimpleQueue()
        self._lanes: dict[int, Lane] = {}
        self._news = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
        keep_apprise_quiet()

    def start(self) -> None:
        """Begin with what waits since the last run."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being sent just now gets some seconds, and is sent again after the next start if it takes longer."""
        self._stop.set()
        self._news.set()
        self._thread.join(STOP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        for lane in self._lanes.values():
            lane.stop()
        for lane in self._lanes.values():
            lane.join(max(0.0, deadline - time.monotonic()))

    def expect(self, alert: Alert) -> None:
        """Hear of an alert that is about to be kept."""
        self._fresh.put(alert)
        self._news.set()

    def message_of(self, alert: Alert, *, with_picture: bool = True) -> Message:
        """Return an alert as it is sent, with its picture where there is one."""
        try:
            watch = self._watches.get(alert.watch)
            who = who_in_words(watch.kind, watch.subject, self._names())
        except UnknownWatch:
            who = str(alert.kind)
        return Message(alert.id, alert, who, self._pictures.of(alert) if with_picture else b"")

    def sender_of(self, receiver: Receiver) -> Sender:
        """Return what delivers to a receiver."""
        return sender_of(receiver.url, self._house.settings.version)

    def now(self) -> float:
        """Return seconds since 1970 on Redis's clock."""
        return self._house.clock.now()

    def count(self, delivery: Delivery, outcome: Outcome) -> None:
        """Count an attempt, and how long after its picture an alert arrived."""
        self._metrics.deliveries.labels(str(outcome.how)).inc()
        if outcome.is_delivered:
            alert = delivery.alert
            self._metrics.delay_seconds.labels(str(alert.kind)).observe(max(0.0, self.now() - alert.captured_at))

    def count_given_up(self, count: int) -> None:
        """Count deliveries that are not tried again."""
        self._metrics.deliveries.labels("given_up").inc(count)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._tend()
                self._tell_news()
            except StorageError as error:
                log.warning("alerts are not delivered: %s", error)
                self._stop.wait(LOOK_SECONDS)
            except Exception:  # the thread's boundary: without it nothing would be delivered again
                log.exception("deliveries failed")
                self._stop.wait(LOOK_SECONDS)
            self._news.wait(LOOK_SECONDS)
            self._news.clear()

    def _tell_news(self) -> None:
        """Count and tell what was expected and is kept; asking the database waits until its transaction is over."""
        while not self._fresh.empty():
            alert = self._fresh.get()
            try:
                kept = self._book.get(alert.id)
            except UnknownAlert:
                continue  # it was undone
            self._metrics.alerts.labels(str(kept.kind)).inc()
            self._happenings.tell("alert", alert_as_json(kept, self.message_of(kept, with_picture=False), []))

    def _tend(self) -> None:
        receivers = self._watches.receivers()
        for number, lane in list(self._lanes.items()):
            if receivers.get(number) != lane.receiver or not lane.is_alive():
                lane.stop()  # nothing more goes to a receiver that was removed
                del self._lanes[number]
        for number in self.outbox.receivers():
            if number in receivers:  # else its watch is being removed
                self._lane_of(receivers[number]).wake()

    def _lane_of(self, receiver: Receiver) -> Lane:
        lane = self._lanes.get(receiver.id)
        if lane is None:
            lane = self._lanes[receiver.id] = Lane(receiver, self)
            lane.start()
        return lane

    def _size(self) -> tuple[float, float]:
        """Return how many deliveries wait, and for how many seconds the oldest has."""
        try:
            count, since = self.outbox.size()
        except StorageError as error:
            log.debug("the outbox is not measured: %s", error)
            return 0.0, 0.0
        return float(count), 0.0 if since is None else max(0.0, self.now() - since)


class Lane(threading.Thread):
    """Delivers to one receiver, and ends when nothing has waited for it for a while."""

    def __init__(self, receiver: Receiver, deliveries: Deliveries) -> None:
        super().__init__(name=f"receiver {receiver.id}", daemon=True)
        self.receiver = receiver
        self._deliveries = deliveries
        self._outbox = deliveries.outbox
        self._sender = deliveries.sender_of(receiver)
        self._failures = 0
        self._woken = threading.Event()
        self._ends = threading.Event()

    def wake(self) -> None:
        """Look whether something waits."""
        self._woken.set()

    def stop(self) -> None:
        """End after what is being sent."""
        self._ends.set()
        self._woken.set()

    def run(self) -> None:
        """Deliver until the stop, or until nothing waits."""
        idle_since = time.monotonic()
        try:
            while not self._ends.is_set() and time.monotonic() - idle_since < IDLE_SECONDS:
                self._woken.clear()
                if self._deliver_next():
                    idle_since = time.monotonic()
                else:
                    self._woken.wait(LOOK_SECONDS)
        finally:
            self._sender.close()

    def _deliver_next(self) -> bool:
        """Deliver what is due next; False when nothing is, or the file cannot be used now."""
        try:
            delivery = self._outbox.next(self.receiver.id, self._deliveries.now())
            if delivery is None:
                return False
            outcome = self._send(delivery)
            self._note(delivery, outcome)
        except StorageError as error:
            log.warning("deliveries to receiver %d stop for now: %s", self.receiver.id, error)
            return False
        if self._failures:
            self._ends.wait(max(outcome.pause, pause_after(self._failures)))
        return True

    def _send(self, delivery: Delivery) -> Outcome:
        try:
            return self._sender.send(self._deliveries.message_of(delivery.alert))
        except (StorageError, redis.RedisError):
            raise
        except Exception:  # the message's boundary: the next one may be fine
            log.exception("alert %s could not be sent", delivery.alert.id)
            return Outcome(How.REFUSED, "it could not be sent by a fault of this program: see its log")

    def _note(self, delivery: Delivery, outcome: Outcome) -> None:
        self._deliveries.count(delivery, outcome)
        now = self._deliveries.now()
        if outcome.is_delivered:
            self._failures = 0
            self._outbox.delivered(delivery, now)
            return
        log.warning("receiver %d (%s): %s", self.receiver.id, notify_urls.shown(self.receiver.url), outcome.answer)
        if outcome.how is How.REFUSED:
            self._failures = 0
            next_at = now + pause_after(delivery.attempts + 1)
        else:
            self._failures += 1
            next_at = 0.0
        self._outbox.failed(delivery, next_at, outcome.answer)
        self._give_up(delivery, outcome, now)

    def _give_up(self, delivery: Delivery, outcome: Outcome, now: float) -> None:
        """Give up what has waited for too long: this message, or all of a receiver that takes none."""
        count = 0
        if outcome.how is not How.REFUSED:
            count = self._outbox.give_up_older(self.receiver.id, now - GIVE_UP_SECONDS, now, outcome.answer)
        elif delivery.since < now - GIVE_UP_SECONDS:
            self._outbox.gave_up(delivery, now, outcome.answer)
            count = 1
        if count:
            self._deliveries.count_given_up(count)
            log.error("receiver %d: %d alerts were given up after a day: %s", self.receiver.id, count, outcome.answer)


def pause_after(failures: int) -> float:
    """Return the seconds before the next try: doubled with each failure, up to five minutes, half of them by chance."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, MOST_DOUBLINGS))
    return longest * random.uniform(0.5, 1.0)


def alert_as_json(alert: Alert, message: Message, deliveries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an alert as the API and its event show it: a webhook's body without picture, with verdict and deliveries."""
    shown = {name: value for name, value in message.as_json().items() if name not in ("alert", "picture", "test")}
    return {"id": alert.id, **shown, "verdict": alert.verdict, "deliveries": deliveries}
