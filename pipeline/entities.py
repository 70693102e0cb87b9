"""The things that travel: cameras, frames, states, results. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ATTRIBUTES = (
    "AGE_RANGE",
    "BEARD",
    "EMOTIONS",
    "EYE_DIRECTION",
    "EYEGLASSES",
    "EYES_OPEN",
    "FACE_OCCLUDED",
    "GENDER",
    "MOUTH_OPEN",
    "MUSTACHE",
    "SMILE",
    "SUNGLASSES",
)
"""Attributes of a face that may be asked for one by one, by Rekognition's names."""

ATTRIBUTE_GROUPS = ("DEFAULT", "ALL")


class Operation(StrEnum):
    """What may be asked of a frame, or with no frame at all of a collection, by Rekognition's names."""

    DETECT_FACES = "DetectFaces"
    DETECT_LABELS = "DetectLabels"
    COMPARE_FACES = "CompareFaces"
    SEARCH_FACES_BY_IMAGE = "SearchFacesByImage"
    INDEX_FACES = "IndexFaces"
    SEARCH_FACES = "SearchFaces"
    CREATE_COLLECTION = "CreateCollection"
    DESCRIBE_COLLECTION = "DescribeCollection"
    CREATE_USER = "CreateUser"
    DELETE_USER = "DeleteUser"
    LIST_USERS = "ListUsers"
    ASSOCIATE_FACES = "AssociateFaces"
    DISASSOCIATE_FACES = "DisassociateFaces"
    LIST_FACES = "ListFaces"
    DELETE_FACES = "DeleteFaces"


OURS = "_"
"""Options of a frame that begin so are not Rekognition's: not sent, they stand in its result (``_Track`` as ``Track``)."""


class Policy(StrEnum):
    """What happens to a frame that finds its mailbox full."""

    LATEST = "latest"  # it replaces the older one, which is counted as superseded
    EVERY = "every"  # it waits until the mailbox is empty


class Gate(StrEnum):
    """What has to be in a sampled frame before a call is spent on it."""

    OFF = "off"  # nothing: every sampled frame is analysed
    MOTION = "motion"  # something that moves
    FACE = "face"  # a face, as the local detector sees it where something moves


class Saved(StrEnum):
    """Why a gate did not let a frame pass: causes for which the ledger drops it, none of them a loss."""

    NO_MOTION = "no_motion"  # nothing moves
    NO_FACE = "no_face"  # something moves, and no face is seen there
    STILL_FACE = "still_face"  # the faces that are seen look as they did when they were analysed last


class Purpose(StrEnum):
    """What a camera is for, which decides what may be found out with it."""

    ACCESS = "access"  # who comes in: people are named, emotions are not inferred
    WATCH = "watch"  # whether somebody of a watch list is there: people are named, emotions are not inferred
    AUDIENCE = "audience"  # how many, how old, how amused: nobody is named, no picture is kept
    TEST = "test"  # everything, for trying things out

    @property
    def names_people(self) -> bool:
        """Whether anybody is identified, or recognised as somebody who was there before."""
        return self is not Purpose.AUDIENCE

    @property
    def infers_emotions(self) -> bool:
        """Whether emotions are asked for and told."""
        return self in (Purpose.AUDIENCE, Purpose.TEST)

    @property
    def keeps_pictures(self) -> bool:
        """Whether analysed pictures are kept, for a minute and those of worst frames for an hour."""
        return self is not Purpose.AUDIENCE


Polygon = tuple[tuple[float, float], ...]
"""Corners as fractions of the picture's width and height."""


class CameraState(StrEnum):
    """Where a camera is in its life; `CameraState.may_become` names the legal moves."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALLED = "stalled"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    ENDED = "ended"
    OFF = "off"

    def may_become(self, other: CameraState) -> bool:
        """Say whether the move from this state to `other` is legal."""
        return other in _MOVES[self]


_RETRYING = (CameraState.CONNECTING, CameraState.UNAUTHORIZED, CameraState.NOT_FOUND)
_MOVES: Mapping[CameraState, tuple[CameraState, ...]] = {
    CameraState.OFF: (CameraState.CONNECTING,),
    CameraState.CONNECTING: (*_RETRYING, CameraState.LIVE, CameraState.ENDED, CameraState.OFF),
    CameraState.UNAUTHORIZED: (*_RETRYING, CameraState.LIVE, CameraState.OFF),
    CameraState.NOT_FOUND: (*_RETRYING, CameraState.LIVE, CameraState.OFF),
    CameraState.LIVE: (CameraState.STALLED, CameraState.CONNECTING, CameraState.ENDED, CameraState.OFF),
    CameraState.STALLED: (*_RETRYING, CameraState.LIVE, CameraState.ENDED, CameraState.OFF),
    CameraState.ENDED: (CameraState.CONNECTING, CameraState.OFF),
}


@dataclass(frozen=True, slots=True)
class Camera:
    """A source of pictures as people configured it.

    `url` may hold a password: it is shown only through `errors.redact`. `fps` is how many frames a second are sampled,
    not what the camera delivers. `attributes` are Rekognition's names. `labels` is how many seconds lie between two looks at
    the labels of the scene, 0 for none. Faces count inside `zones` (everywhere without any) and at least `smallest_face`
    pixels high; `masks` are painted over before anything leaves the producer. `schedule` says when the camera is looked at
    (`schedule.Schedule`), always when it is empty.
    """

    id: str
    url: str
    fps: float
    attributes: tuple[str, ...] = ("ALL",)
    policy: Policy = Policy.LATEST
    preview_url: str | None = None
    paused: bool = False
    gate: Gate = Gate.OFF
    labels: float = 0.0
    purpose: Purpose = Purpose.TEST
    zones: tuple[Polygon, ...] = ()
    masks: tuple[Polygon, ...] = ()
    smallest_face: int = 0
    schedule: str = ""


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """What a producer knows about its camera now.

    `message` is one sentence for people: what is wrong and what to do. `since` and `reported_at` are seconds since 1970 on
    Redis's clock; `width` and `height` are pixels of the stream; `capture_fps` is what the camera delivers. `gate_passed` and
    `gate_saved` are frames a second over the last 10 s, `gate_sees` is what the gate sees now; '' without a gate.
    """

    camera: str
    state: CameraState
    message: str = ""
    since: float = 0.0
    reported_at: float = 0.0
    width: int = 0
    height: int = 0
    codec: str = ""
    capture_fps: float = 0.0
    reconnects: int = 0
    stalls: int = 0
    producer: str = ""
    gate_passed: float = 0.0
    gate_saved: float = 0.0
    gate_sees: str = ""


@dataclass(frozen=True, slots=True)
class S3Object:
    """A picture that lies on S3 and is read there by Rekognition; `version` is '' for the newest."""

    bucket: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.name}"


@dataclass(frozen=True, slots=True)
class Frame:
    """One sampled picture of one camera, encoded as JPEG, and what is asked of it.

    `number` counts 1, 2, 3 … within one capture (see `ledger.Ledger`); `captured_at` is seconds since 1970 on Redis's
    clock, taken right after the picture was read; `width` and `height` are those of `jpeg`.

    All frames of one camera ask the same `operation`. `options` are members of its request that are neither pictures nor
    attributes (MinConfidence …), and ours (see OURS). An operation of a collection that takes no picture has an empty
    `jpeg`. `place`, if given, stands for `jpeg`, which is then empty; `target` is the second picture
    of CompareFaces.
    """

    camera: str
    number: int
    captured_at: float
    jpeg: bytes
    width: int
    height: int
    encode_seconds: float = 0.0
    attributes: tuple[str, ...] = ("ALL",)
    operation: str = Operation.DETECT_FACES
    options: Mapping[str, Any] = field(default_factory=dict)
    place: S3Object | None = None
    target: bytes | S3Object = b""


@dataclass(frozen=True, slots=True)
class Preview:
    """One small picture of one camera for people to watch; it is never analysed and never kept.

    `captured_at` is seconds since 1970 on Redis's clock, as of a `Frame`; `width` and `height` are those of `jpeg`.
    """

    camera: str
    captured_at: float
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class TakenFrame:
    """A frame in a worker's hands: in flight until its token is finished or its deadline has passed.

    `seq` is the frame's place among all frames sampled from the camera; `attempt` is 1 unless an earlier worker was lost.
    """

    token: str
    seq: int
    frame: Frame
    taken_at: float
    policy: Policy = Policy.LATEST
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """One analysed frame, or the error it ended in: Rekognition's response under our envelope.

    Times are seconds since 1970 on Redis's clock; `stages` are seconds by stage (encode, queue, limit, upload, service,
    publish); `worker` names the process that called, HOST:NAME; `response` holds what `operation` answered, Rekognition's own
    members (FaceDetails …) as they came.
    """

    id: str
    camera: str
    seq: int
    captured_at: float
    published_at: float
    width: int
    height: int
    provider: str
    worker: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] | None = None
    operation: str = Operation.DETECT_FACES

    @property
    def age_seconds(self) -> float:
        """How old the picture was when its result came out."""
        return self.published_at - self.captured_at

    def as_json(self) -> dict[str, Any]:
        """Return the result as the API shows it: one flat object."""
        return {
            "id": self.id,
            "camera": self.camera,
            "seq": self.seq,
            "captured_at": self.captured_at,
            "published_at": self.published_at,
            "age_seconds": round(self.age_seconds, 6),
            "width": self.width,
            "height": self.height,
            "provider": self.provider,
            "operation": self.operation,
            "worker": self.worker,
            "stages": dict(self.stages),
            **self.response,
            "error": dict(self.error) if self.error else None,
        }
