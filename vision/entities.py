"""What the rooms of vision hand to each other: frozen, and free of models and pictures.

Positions and sizes are fractions of the picture's width and height, so they hold for any scaled copy of the picture.
Confidences are percent, as Amazon Rekognition's are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rgb: TypeAlias = NDArray[np.uint8]
"""A picture: height x width x 3, uint8, red first."""


class Attribute(StrEnum):
    """What Amazon Rekognition lets a caller ask of a face, under its own names (API_DetectFaces, `Attributes`)."""

    DEFAULT = "DEFAULT"
    ALL = "ALL"
    AGE_RANGE = "AGE_RANGE"
    EMOTIONS = "EMOTIONS"
    EYES_OPEN = "EYES_OPEN"
    GENDER = "GENDER"
    MOUTH_OPEN = "MOUTH_OPEN"
    SMILE = "SMILE"
    # No open model answers these: they may be asked for, and stay without an answer.
    BEARD = "BEARD"
    EYE_DIRECTION = "EYE_DIRECTION"
    EYEGLASSES = "EYEGLASSES"
    FACE_OCCLUDED = "FACE_OCCLUDED"
    MUSTACHE = "MUSTACHE"
    SUNGLASSES = "SUNGLASSES"


def expand(attributes: Iterable[Attribute | str]) -> frozenset[Attribute]:
    """Return the attributes asked for, `ALL` spelled out; an unknown name is a ValueError."""
    asked = frozenset(Attribute(name) for name in attributes)
    return frozenset(Attribute) if Attribute.ALL in asked else asked


@dataclass(frozen=True, slots=True)
class Box:
    """Where a face is; it may reach beyond the picture's edge."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Landmark:
    """A named point of a face, under Rekognition's name for it."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Pose:
    """How the head is turned, in degrees: roll clockwise in the picture, yaw to the picture's right, pitch upward."""

    roll: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the face can be seen: brightness and sharpness, 0 to 100."""

    brightness: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no, and how sure: 50 to 100 percent."""

    value: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Gender:
    """The gender the face looks like, and how sure: 50 to 100 percent."""

    value: Literal["Female", "Male"]
    confidence: float


@dataclass(frozen=True, slots=True)
class AgeRange:
    """The years the face looks like, both ends included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Emotion:
    """An expression under Rekognition's name (`HAPPY`), and its share of 100 percent."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Face:
    """One face; what was not asked for, has no model or could not be seen is None or empty, never a guess."""

    box: Box
    confidence: float
    quality: Quality
    landmarks: tuple[Landmark, ...] = ()
    pose: Pose | None = None
    age: AgeRange | None = None
    gender: Gender | None = None
    smile: Answer | None = None
    eyes_open: Answer | None = None
    mouth_open: Answer | None = None
    emotions: tuple[Emotion, ...] = ()
    vector: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)  # see embedding.Embedder
