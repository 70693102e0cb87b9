"""Alerts: what the watches waited for, made once a visit and watch, in the transaction in which it became known.

An alert and its deliveries are kept together with the place in the results stream: a kill, a restart or a stream that is read
again loses none and makes none twice. What is asked of a result:

- a person: a visit of theirs with at least `watch_similarity` percent;
- somebody unknown: a visit in which a search found nobody;
- an emotion: the strongest of a face, with 90 % or more, in two results of its camera running;
- a label: found with 80 % or more where it was not found shortly before.

The budget is looked at in `budget_alerts.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import redis

from people.alert_book import Alert, AlertBook
from people.alert_desk import AlertDesk
from people.alert_tables import TABLES
from people.appearances import Appearances, Look
from people.audit import Audit
from people.delivery import Deliveries
from people.house import House, Room, room_of
from people.identities import Identities
from people.register import Register
from people.visits import VisitChange
from people.watch_book import WatchBook
from people.watches import Kind, Watch
from pipeline.answering import Answer
from pipeline.camera_spec import PHOTO_PREFIX
from pipeline.cameras import CameraRegistry
from pipeline.chores import Chore
from pipeline.entities import Camera, Operation, Result
from pipeline.faces import counted_faces
from pipeline.keys import camera_of_mailbox

log = logging.getLogger(__name__)

SURE_EMOTION, SURE_LABEL = 90.0, 80.0
EMOTION_GAP, LABEL_GAP = 10.0, 30.0  # seconds without it, at least, until it counts as beginning anew
LOOKS_IN_GAP = 3.0
CAMERAS_SECONDS = 1.0
TIDY_SECONDS = 3600.0
DAY_SECONDS = 86_400.0


class Alerts(Room):
    """Hears visits and results, and makes alerts of them."""

    tables: ClassVar[tuple[str, ...]] = TABLES

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.watches = WatchBook(house.database)
        self.book = AlertBook(house.database)
        self._appearances = Appearances(house.database)
        self.cameras = Cameras(CameraRegistry(house.broker.scripts))
        self.deliveries = Deliveries(house, self.watches, self.cameras.get, self._names)

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know who knows people and visits, and who writes down what is done with them."""
        identities = room_of(rooms, Identities)
        identities.listeners.append(self.visit_changed)
        self._visits = identities.visits
        self._register = room_of(rooms, Register)
        self._audit = room_of(rooms, Audit)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about watches and alerts."""
        people = (self._names, lambda who: self._register.find(who).id)
        desk = AlertDesk(self.house, self.watches, self.book, self.deliveries, self.cameras.all, *people, self._audit)
        return desk.answers()

    def visit_changed(self, change: VisitChange) -> None:
        """Hear of a visit, inside the transaction in which it changed; repeats are harmless.

        Only what a result shows of a visit that goes on is worth an alert: a correction, or tidying up, is no news.
        """
        if change.kind == "rejected" and change.person:
            self.book.disown(str(change.visit.id), change.person)
        elif change.kind in ("began", "changed"):
            if change.visit.person:
                self.book.own(str(change.visit.id), change.visit.person)
            is_news = change.visit.is_open and bool(change.cause.result)
            about = [watch for watch in self.watches.all() if is_news and self._is_about(watch, change)]
            for watch in self._interested(about, change.visit.camera, _time_of(change)):
                self.keep(watch, _alert_of(watch, change, self.house.clock.now()))

    def hear(self, results: Sequence[Result]) -> None:
        """Look for emotions and labels that are waited for."""
        kinds: dict[str, Kind] = {Operation.DETECT_FACES: Kind.EMOTION, Operation.DETECT_LABELS: Kind.LABEL}
        watched = [watch for watch in self.watches.all() if watch.kind in kinds.values()]
        for result in results if watched else ():
            kind = kinds.get(result.operation)
            if kind and not result.error and not result.camera.startswith(PHOTO_PREFIX):
                self._look_at(result, [watch for watch in watched if watch.kind is kind])

    def export(self, person_id: str) -> Mapping[str, Any]:
        """Return the alerts of a person, and whom they were told."""
        alerts = self.book.of(person_id)
        deliveries = self.book.deliveries_of([alert.id for alert in alerts])
        return {"alerts": [{**asdict(alert), "deliveries": deliveries[alert.id]} for alert in alerts]}

    def forget(self, person_id: str) -> Mapping[str, int]:
        """Remove the alerts of a person and the watches for them."""
        return {"alerts": self.book.forget(person_id), "watches": self.watches.remove_of(person_id)}

    def remaining(self, person_id: str) -> Mapping[str, int]:
        """Return how many alerts and watches there still are."""
        return {"alerts": self.book.count_of(person_id), "watches": self.watches.count_of(person_id)}

    def erase(self, camera: str, since: float, until: float) -> Mapping[str, int]:
        """Remove the alerts of a camera from between two times, and when what they wait for was seen."""
        with self.house.database.transaction():
            self._appearances.erase(camera, since, until)
            return {"alerts": self.book.erase(camera, since, until)}

    def chores(self) -> Sequence[Chore]:
        """Return what is to be done again and again."""
        return (Chore("alerts", TIDY_SECONDS, self._tidy),)

    def keep(self, watch: Watch, alert: Alert) -> None:
        """Keep an alert, and have it delivered, unless it is there or the watch keeps still."""
        if self.book.add(alert, watch.receivers, watch.cooldown):
            self.deliveries.expect(alert)

    def start(self) -> None:
        """Begin to deliver what waits."""
        self.deliveries.start()

    def stop(self) -> None:
        """End the deliveries; what waits is delivered after the next start."""
        self.deliveries.stop()

    def _names(self) -> dict[str, str]:
        return {person.id: person.name for person in self._register.all()}

    def _look_at(self, result: Result, watches: Iterable[Watch]) -> None:
        camera_id = camera_of_mailbox(result.camera)
        for watch in self._interested(watches, camera_id, result.captured_at):
            is_emotion = watch.kind is Kind.EMOTION
            found = _emotions(result, watch.subject) if is_emotion else _labels(result, watch.subject)
            look = Look(result.captured_at, result.id, found)
            gap = self._gap(watch, camera_id)
            for track in self._appearances.begun(watch.id, camera_id, look, gap, twice=is_emotion):
                self.keep(watch, self._alert_of_look(watch, camera_id, look, track))

    def _alert_of_look(self, watch: Watch, camera_id: str, look: Look, track: str) -> Alert:
        """Return the alert that a look is worth: once a visit where the track belongs to one, else once a track."""
        stay = self._visits.stay(track) if track else None
        visit = self._visits.visit(stay.visit) if stay and stay.visit else None
        name = "Type" if watch.kind is Kind.EMOTION else "Name"
        return Alert(
            watch.id,
            watch.kind,
            f"visit {visit.id}" if visit else f"{camera_id} {track or look.captured_at}",
            camera_id,
            look.captured_at,
            self.house.clock.now(),
            person=(visit.person if visit else None) or "",
            visit=str(visit.id) if visit else "",
            track=track,
            result=look.result,
            what={name: watch.subject, "Confidence": round(look.found[track], 2)},
        )

    def _gap(self, watch: Watch, camera_id: str) -> float:
        camera = self.cameras.get(camera_id)
        if watch.kind is Kind.LABEL:
            return max(LABEL_GAP, LOOKS_IN_GAP * (camera.labels if camera else 0.0))
        return max(EMOTION_GAP, LOOKS_IN_GAP / camera.fps if camera else 0.0)

    def _interested(self, watches: Iterable[Watch], camera_id: str, at: float) -> list[Watch]:
        camera = self.cameras.get(camera_id)
        return [watch for watch in watches if camera and watch.looks_at(camera, at)]

    def _is_about(self, watch: Watch, change: VisitChange) -> bool:
        visit = change.visit
        if watch.kind is Kind.UNKNOWN:
            return visit.person is None and visit.is_searched
        is_theirs = watch.kind is Kind.PERSON and watch.subject == visit.person
        return is_theirs and visit.similarity >= self.house.settings.watch

    def _tidy(self) -> None:
        now = self.house.clock.now()
        removed = self.book.expire(now - self.house.settings.alert_days * DAY_SECONDS)
        with self.house.database.transaction():
            self._appearances.expire(now - TIDY_SECONDS)
        if removed:
            log.info("%d alerts are older than %g days and were removed", removed, self.house.settings.alert_days)


class Cameras:
    """The cameras as they are in Redis, a second old at most; those last known while it is away."""

    def __init__(self, registry: CameraRegistry) -> None:
        self._registry = registry
        self._version = -1
        self._looked_at = 0.0
        self._known: dict[str, Camera] = {}

    def get(self, camera_id: str) -> Camera | None:
        """Return a camera, None when there is none of that id."""
        return self.all().get(camera_id)

    def all(self) -> Mapping[str, Camera]:
        """Return the cameras by id."""
        if time.monotonic() - self._looked_at > CAMERAS_SECONDS:
            try:
                self._look()
            except redis.RedisError as error:
                log.debug("cameras: %s", error)
        return self._known

    def _look(self) -> None:
        version = self._registry.version()
        if version != self._version:
            self._known = {camera.id: camera for camera in self._registry.all()}
            self._version = version
        self._looked_at = time.monotonic()


def _alert_of(watch: Watch, change: VisitChange, now: float) -> Alert:
    """Return the alert that a visit is worth to a watch."""
    visit = change.visit
    named = {"Id": visit.person, "Name": change.name, "Similarity": round(visit.similarity, 2)}
    return Alert(
        watch.id,
        watch.kind,
        f"visit {visit.id}",
        visit.camera,
        _time_of(change),
        now,
        subject=visit.person or visit.unknown or f"visit {visit.id}",
        person=visit.person or "",
        visit=str(visit.id),
        track=change.cause.track,
        result=change.cause.result,
        what=named if visit.person else {"Id": visit.unknown},
    )


def _time_of(change: VisitChange) -> float:
    """Return when the picture was taken that a change of a visit is known from."""
    return change.cause.captured_at or change.visit.ended


def _emotions(result: Result, emotion: str) -> dict[str, float]:
    """Return by track how sure this emotion is the strongest of a face; the surest face counts where there are no tracks."""
    found: dict[str, float] = {}
    for face in counted_faces(result.response):
        emotions = [(_sure(one), str(one.get("Type"))) for one in _objects(face.get("Emotions"))]
        confidence, strongest = max(emotions, default=(0.0, ""))
        if strongest == emotion and confidence >= SURE_EMOTION:
            track = str(face.get("Track") or "")
            found[track] = max(confidence, found.get(track, 0.0))
    return found


def _labels(result: Result, label: str) -> dict[str, float]:
    """Return how sure a label is, under the empty track; Rekognition's other names of it count, too."""
    called = label.casefold()
    same = [one for one in _objects(result.response.get("Labels")) if called in {name.casefold() for name in _names(one)}]
    sure = max(map(_sure, same), default=0.0)
    return {"": sure} if sure >= SURE_LABEL else {}


def _sure(found: Mapping[str, Any]) -> float:
    return float(found.get("Confidence") or 0.0)


def _names(label: Mapping[str, Any]) -> Iterator[str]:
    yield str(label.get("Name", ""))
    yield from (str(alias.get("Name", "")) for alias in _objects(label.get("Aliases")))


def _objects(value: Any) -> Iterable[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
