"""The rules of each camera where frames are analysed: what its purpose lets be asked, told and kept, and which faces count.

A face outside of every zone, or below the smallest height, stays in the answer and is marked with ``Ignored``: the answer
is Rekognition's, people see on the page why a face does not count, and privacy has to cover it all the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import redis

from pipeline import keys
from pipeline.camera_spec import PHOTO_PREFIX
from pipeline.cameras import CameraRegistry
from pipeline.entities import ATTRIBUTES, Camera, Frame, Operation, Polygon, Purpose
from pipeline.errors import UnknownCamera
from pipeline.faces import IGNORED
from pipeline.tracks import camera_of_track

UNDER_WAY_SECONDS = 20.0  # a call and what follows it take no longer
EMOTIONS = "EMOTIONS"
FEELINGS = "Expressions and Emotions"
"""Rekognition's category of labels that tell how somebody feels."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the frames of one camera; those of nobody's camera (photos) have no rules."""

    purpose: Purpose = Purpose.TEST
    zones: tuple[Polygon, ...] = ()
    smallest_face: int = 0
    fps: float = 1.0

    @classmethod
    def of(cls, camera: Camera) -> Rules:
        """Return the rules of a camera."""
        return cls(camera.purpose, camera.zones, camera.smallest_face, camera.fps)

    def asked(self, frame: Frame) -> Frame:
        """Return the frame as it may be asked about: where emotions are not inferred, nobody is asked for them."""
        if self.purpose.infers_emotions:
            return frame
        if frame.operation == Operation.DETECT_LABELS:
            return replace(frame, options=_without_feelings(frame.options))
        return replace(frame, attributes=_without_emotions(frame.attributes))

    def told(self, frame: Frame, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer as it may be published: emotions that came unasked are taken out, faces that do not count marked.

        The answer itself is not changed.
        """
        answer = dict(response)
        if isinstance(answer.get("FaceDetails"), list):
            answer["FaceDetails"] = [self._face(face, frame) for face in answer["FaceDetails"]]
        if not self.purpose.infers_emotions and isinstance(answer.get("Labels"), list):
            answer["Labels"] = [label for label in answer["Labels"] if not _is_feeling(label)]
        return answer

    def _face(self, face: Any, frame: Frame) -> Any:
        if not isinstance(face, dict):
            return face
        kept = {name: value for name, value in face.items() if self.purpose.infers_emotions or name != "Emotions"}
        why = self._ignored(face.get("BoundingBox"), frame)
        return {**kept, IGNORED: why} if why else kept

    def _ignored(self, box: Any, frame: Frame) -> str | None:
        """Say why a face does not count: its centre lies in no zone, or it is not high enough."""
        if not (self.zones or self.smallest_face) or not isinstance(box, dict):
            return None
        left, top, width, height = (float(box.get(name, 0.0)) for name in ("Left", "Top", "Width", "Height"))
        if self.zones and not any(holds(zone, left + width / 2, top + height / 2) for zone in self.zones):
            return "zone"
        return "small" if height * frame.height < self.smallest_face else None


class KnownCameras:
    """The cameras' rules as they were a second ago at most; `look` is to be called each second.

    A camera that left the list keeps its rules here, for its frames that are still under way.
    """

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection
        self._registry = CameraRegistry(connection)
        self._version = 0
        self._rules: dict[str, Rules] = {}
        self._nameless: dict[str, float] = {}  # cameras that name nobody, and until when it may be that a call is under way

    def look(self) -> None:
        """Learn what changed; pictures and names of cameras that may keep none (any more) go. May raise redis.RedisError."""
        version = self._registry.version()
        if version != self._version:
            self._rules = {**self._rules, **{camera.id: Rules.of(camera) for camera in self._registry.all()}}
            self._version = version
        without = [camera for camera, rules in list(self._rules.items()) if not rules.purpose.keeps_pictures]
        if without:
            self._connection.delete(*map(keys.newest, without), *map(keys.overtaken, without))
        self._forget_people()

    def _forget_people(self) -> None:
        """Delete names and faces of the tracks of cameras that name nobody (any more), until no earlier call can add any."""
        nameless = {camera for camera, rules in list(self._rules.items()) if not rules.purpose.names_people}
        now = time.monotonic()
        self._nameless = {camera: self._nameless.get(camera, now + UNDER_WAY_SECONDS) for camera in nameless}
        cameras = {camera for camera, until in self._nameless.items() if now < until}
        if not cameras:
            return
        for key_of in (keys.face, keys.name, keys.unknown):
            prefix = len(key_of(""))
            found = self._connection.scan_iter(match=key_of("*"), count=1000)
            gone = [key for key in found if camera_of_track(key.decode()[prefix:]) in cameras]
            if gone:
                self._connection.delete(*gone)

    def known(self, camera: str) -> Rules:
        """Return the rules of a camera as they are known now, without asking Redis."""
        return self._rules.get(camera, Rules())

    def rules_of(self, mailbox: str) -> Rules:
        """Return the rules for the frames of a mailbox, of a camera that is new as well; may raise redis.RedisError."""
        camera = keys.camera_of_mailbox(mailbox)
        if camera.startswith(PHOTO_PREFIX):
            return Rules()
        if camera not in self._rules:
            try:
                self._rules = {**self._rules, camera: Rules.of(self._registry.get(camera))}
            except UnknownCamera:
                return Rules()
        return self._rules[camera]


def holds(polygon: Polygon, x: float, y: float) -> bool:
    """Say whether a point lies in a polygon, by how often a line to the right of it crosses the edges."""
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside


def _without_emotions(attributes: tuple[str, ...]) -> tuple[str, ...]:
    names = ("DEFAULT", *ATTRIBUTES) if "ALL" in attributes else attributes
    return tuple(name for name in names if name != EMOTIONS) or ("DEFAULT",)


def _without_feelings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return DetectLabels' options with the category of feelings among those that are left out."""
    settings = options.get("Settings", {})
    general = settings.get("GeneralLabels", {})
    left_out = list(dict.fromkeys([*general.get("LabelCategoryExclusionFilters", ()), FEELINGS]))
    return {**options, "Settings": {**settings, "GeneralLabels": {**general, "LabelCategoryExclusionFilters": left_out}}}


def _is_feeling(label: Any) -> bool:
    categories = label.get("Categories") if isinstance(label, dict) else None
    return any(category.get("Name") == FEELINGS for category in categories or ())
