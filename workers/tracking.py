"""Faces of one camera become people: each gets its track, and each track is looked at closer when that is worth a call.

`follow` is part of a frame's way to its result and costs a fraction of a millisecond, but for the rare frame whose boxes leave
a doubt; `look_closer` comes after the result is out: it cuts faces out, keeps the best views, and puts those that are to be
searched into mailboxes of their own (``CAMERA:NUMBER``), where the limit of SearchFacesByImage holds, and no other.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import redis
from prometheus_client import Counter

from pipeline import keys
from pipeline.camera_spec import is_camera
from pipeline.entities import Frame, Operation, Policy
from pipeline.faces import IGNORED
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.shared import Privacy
from pipeline.tracks import Contended, Enrolled, Faces, FaceView, TrackStates, enrolled, track_id
from vision.tracks import Scene, follow, nobody_knows
from workers.closeups import Closeups, Cut
from workers.rules import Rules
from workers.views import View, Worth, decide

log = logging.getLogger(__name__)

TRACK = "Track"
MOST_FOUND = 10
"""Faces of a collection that a search returns at most: several pictures of one person are all among them."""

_LOOK_SECONDS = 1.0  # how old may be what is known of who is enrolled
_COMPLAIN_SECONDS = 60.0


@dataclass(slots=True)
class Seen:
    """The faces of one frame: whose they are, once that was decided, and which are worth a closer look."""

    frame: Frame
    rules: Rules
    response: Mapping[str, Any]
    views: Sequence[View] = ()
    known: Enrolled | None = None
    closeups: Closeups | None = None
    numbers: Sequence[int | None] = ()
    worth: dict[int, Worth] = field(default_factory=dict)

    @property
    def told(self) -> Mapping[str, Any]:
        """The answer with its track in each face that has one."""
        details = list(self.response.get("FaceDetails", ()))
        for view, track in zip(self.views, self.tracks, strict=False):
            if track is not None:
                details[view.place] = {**details[view.place], TRACK: track}
        return {**self.response, "FaceDetails": details} if self.numbers else self.response

    @property
    def tracks(self) -> list[str | None]:
        """The id of each view's track."""
        return [None if number is None else track_id(self.frame.camera, number) for number in self.numbers]

    def step(self, state: str | None, is_named: Callable[[str], bool]) -> str | None:
        """Return the camera's state after this frame, None where it stays as it is; may be called again with a newer one."""
        frame, boxes = self.frame, [view.box for view in self.views]
        unlikeness = self.closeups.unlikeness if self.closeups else nobody_knows
        aspect, interval = frame.width / frame.height, 1 / max(1e-3, self.rules.fps)
        followed = follow(_scene_of(state), boxes, frame.captured_at, aspect, unlikeness, interval)
        self.numbers, self.worth = followed.numbers, {}
        if followed.is_overtaken or not (followed.scene.tracks or self.numbers):
            return None
        scene = self._decided(followed.scene, is_named) if self.rules.purpose.names_people else followed.scene
        return json.dumps(scene.as_json(), separators=(",", ":"))

    def _decided(self, scene: Scene, is_named: Callable[[str], bool]) -> Scene:
        """Decide what each view is worth, and return the scene that remembers it."""
        since = self.known.changed if self.known else None
        tracks = []
        for face, (view, number) in enumerate(zip(self.views, self.numbers, strict=True)):
            if number is not None:
                named = partial(is_named, track_id(self.frame.camera, number))
                track, worth = decide(scene.tracks[number], view, scene.at, since, named)
                tracks.append(track)
                self.worth |= {face: worth} if worth else {}
        return scene.with_tracks(tracks)


class Tracking:
    """Follows the faces of all cameras; shared by a process's threads. Nothing in here costs a result: faults are counted."""

    def __init__(self, connection: redis.Redis, mailbox: Mailbox, privacy: Privacy, failures: Counter) -> None:
        self._connection: Any = connection
        self._mailbox = mailbox
        self._privacy = privacy
        self._failures = failures
        self._states = TrackStates(connection)
        self._faces = Faces(connection)
        self._known: Enrolled | None = None
        self._looked_at = 0.0
        self._complained_at = 0.0

    def follow(self, frame: Frame, rules: Rules, response: Mapping[str, Any]) -> Seen:
        """Say whose the faces of an answer are; for the frames of photos, and for other operations, nobody's."""
        nothing = Seen(frame, rules, response)
        if frame.operation != Operation.DETECT_FACES or not is_camera(frame.camera):
            return nothing
        try:
            seen = self._seen(frame, rules, response)
            if isinstance(response.get("FaceDetails"), list) and frame.width and frame.height:
                self._states.change(frame.camera, lambda state: seen.step(state, self._is_named))
            return seen
        except Exception as error:  # the boundary: a fault in here must not cost the result of a paid call
            self._failed(frame.camera, error)
            return nothing

    def look_closer(self, seen: Seen) -> None:
        """Keep the views that are the best so far, and have those searched that are to be."""
        for face, worth in seen.worth.items():
            try:
                self._look_closer(seen, face, worth)
            except Exception as error:  # the boundary: the result is out, and the thread has other frames to serve
                self._failed(seen.frame.camera, error)

    def _seen(self, frame: Frame, rules: Rules, response: Mapping[str, Any]) -> Seen:
        views = _views(frame, response)
        if not rules.purpose.names_people or not views:
            return Seen(frame, rules, response, views)
        closeups = Closeups(frame, views, lambda number: self._faces.vector_of(track_id(frame.camera, number)))
        return Seen(frame, rules, response, views, self._enrolled(), closeups)

    def _look_closer(self, seen: Seen, face: int, worth: Worth) -> None:
        track, closeups = seen.tracks[face], seen.closeups
        if track is None or closeups is None:
            return
        if worth.is_best:  # before the search, whose answer is judged by it
            is_shown = seen.rules.purpose.keeps_pictures and not self._privacy.is_on
            self._faces.keep(track, _best_view(seen, face, closeups, is_shown=is_shown))
        else:
            self._faces.keep_on(track)
        if worth.is_searched and seen.known is not None:
            # Tried again after a throttle, and by another worker after a kill; where it is full an older view still waits.
            self._mailbox.offer(*_search(seen, face, closeups.cut(face), seen.known), Policy.EVERY)

    def _enrolled(self) -> Enrolled | None:
        """Return who can be found, as it was a second ago at most."""
        now = time.monotonic()
        if not self._looked_at or now - self._looked_at > _LOOK_SECONDS:
            self._known, self._looked_at = enrolled(self._connection), now
        return self._known

    def _is_named(self, track: str) -> bool:
        return bool(self._connection.exists(keys.name(track)))

    def _failed(self, camera: str, error: Exception) -> None:
        """Count a fault, and tell of it; once a minute with all there is to know of one that is not Redis's."""
        self._failures.inc()
        log.warning("faces of %s were not followed in one frame: %s: %s", camera, type(error).__name__, error)
        now = time.monotonic()
        if not isinstance(error, redis.RedisError | Contended) and now - self._complained_at > _COMPLAIN_SECONDS:
            self._complained_at = now
            log.error("this is a fault of the program", exc_info=error)


def _views(frame: Frame, response: Mapping[str, Any]) -> list[View]:
    """Return the views of the faces that count."""
    details = response.get("FaceDetails")
    if not isinstance(details, list):
        return []
    return [View.of(place, face, frame.height) for place, face in enumerate(details) if IGNORED not in face]


def _scene_of(state: str | None) -> Scene:
    """Return the scene that was kept; one that cannot be read is another version's, and a new one begins."""
    try:
        return Scene.of_json(json.loads(state)) if state else Scene()
    except (KeyError, TypeError, ValueError) as error:
        log.warning("who was followed is not known any more, tracks begin anew: %s", error)
        return Scene()


def _search(seen: Seen, face: int, cut: Cut, known: Enrolled) -> tuple[Frame, Any]:
    """Return a face as a frame that asks for a search, and its statement."""
    ledger = Ledger()
    frame = Frame(
        camera=keys.mailbox_of(seen.frame.camera, seen.numbers[face] or 0),
        number=ledger.sample(),
        captured_at=seen.frame.captured_at,
        jpeg=cut.jpeg,
        width=cut.width,
        height=cut.height,
        attributes=(),
        operation=Operation.SEARCH_FACES_BY_IMAGE,
        options={
            "CollectionId": known.collection,
            "FaceMatchThreshold": known.show,
            "MaxFaces": MOST_FOUND,
            "QualityFilter": "NONE",
            "_Track": seen.tracks[face],
            "_Weight": round(seen.views[face].weight, 4),
        },
    )
    return frame, ledger.statement()


def _best_view(seen: Seen, face: int, closeups: Closeups, *, is_shown: bool) -> FaceView:
    view, vector = seen.views[face], closeups.vector(face)
    return FaceView(
        camera=seen.frame.camera,
        captured_at=seen.frame.captured_at,
        weight=view.weight,
        height=view.height,
        box=seen.response["FaceDetails"][view.place]["BoundingBox"],
        jpeg=closeups.cut(face).jpeg if is_shown else b"",
        vector=b"" if vector is None else vector.astype(np.float32).tobytes(),
    )
