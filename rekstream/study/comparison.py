"""What of an answer survives: the same face found again, and each of its attributes as it was, another, or gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from pipeline.errors import ProviderError
from rekstream.words import strongest_emotion

FaceDetail: TypeAlias = Mapping[str, Any]

MOST_DEGREES = 10.0  # by which a pose may differ and count as the same
LEAST_OVERLAP = 0.3  # intersection over union of two boxes of one face


class Outcome(StrEnum):
    """What became of an attribute, compared with the unchanged picture."""

    SAME = "same"
    OTHER = "other"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says of one attribute: a value to compare, in words, and the confidence in percent if there is one."""

    value: Any
    words: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One attribute of one variant; `told` is None where it is gone."""

    attribute: str
    outcome: Outcome
    told: Told | None


def readings(face: FaceDetail) -> dict[str, Told]:
    """Return what a face's answer says, by attribute; what it does not say is left out."""
    return {name: told for name, read in _READERS.items() if (told := read(face))}


def compare(reference: Mapping[str, Told], face: FaceDetail | None) -> tuple[Reading, ...]:
    """Return what became of each attribute that the unchanged picture has; without a face all are gone."""
    found = readings(face) if face else {}
    return tuple(Reading(name, _outcome(name, before, found.get(name)), found.get(name)) for name, before in reference.items())


def largest(faces: Sequence[FaceDetail]) -> FaceDetail | None:
    """Return the face of the largest box, None among none; raises ProviderError for a face without a box."""
    return max(faces, key=lambda face: _area(_edges(face)), default=None)


def same_face(faces: Sequence[FaceDetail], reference: FaceDetail) -> FaceDetail | None:
    """Return the face whose box lies most where the reference's lies, None where none does; raises ProviderError."""
    best = max(faces, key=lambda face: _overlap(face, reference), default=None)
    return best if best is not None and _overlap(best, reference) >= LEAST_OVERLAP else None


def _outcome(name: str, before: Told, after: Told | None) -> Outcome:
    if after is None:
        return Outcome.GONE
    is_same = _RULES.get(name, _equal)(before.value, after.value)
    return Outcome.SAME if is_same else Outcome.OTHER


def _equal(before: Any, after: Any) -> bool:
    return bool(before == after)


def _ranges_meet(before: tuple[int, int], after: tuple[int, int]) -> bool:
    return before[0] <= after[1] and after[0] <= before[1]


def _angles_agree(before: Sequence[float], after: Sequence[float]) -> bool:
    return all(abs((b - a + 180) % 360 - 180) <= MOST_DEGREES for b, a in zip(before, after, strict=True))


_RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "AgeRange": _ranges_meet,
    "Pose": _angles_agree,
    "EyeDirection": _angles_agree,
}


def _face(face: FaceDetail) -> Told:
    return Told(True, "found", face.get("Confidence"))


def _age(face: FaceDetail) -> Told | None:
    age = face.get("AgeRange")
    return age and Told((age["Low"], age["High"]), f"{age['Low']}-{age['High']}")


def _emotion(face: FaceDetail) -> Told | None:
    emotion = strongest_emotion(face)
    return Told(emotion["Type"], emotion["Type"].lower(), emotion["Confidence"]) if emotion else None


def _landmarks(face: FaceDetail) -> Told | None:
    points = face.get("Landmarks")
    return Told(True, f"{len(points)} points") if points else None


def _value(member: str) -> Callable[[FaceDetail], Told | None]:
    def read(face: FaceDetail) -> Told | None:
        found = face.get(member)
        if not found:
            return None
        value = found["Value"]
        words = ("yes" if value else "no") if isinstance(value, bool) else str(value).lower()
        return Told(value, words, found.get("Confidence"))

    return read


def _angles(member: str, *names: str) -> Callable[[FaceDetail], Told | None]:
    def read(face: FaceDetail) -> Told | None:
        found = face.get(member)
        if not found:
            return None
        words = ", ".join(f"{name.lower()} {found[name]:z.0f}" for name in names)
        return Told(tuple(found[name] for name in names), words, found.get("Confidence"))

    return read


_READERS: Mapping[str, Callable[[FaceDetail], Told | None]] = {
    "Face": _face,
    "AgeRange": _age,
    "Gender": _value("Gender"),
    "Smile": _value("Smile"),
    "EyesOpen": _value("EyesOpen"),
    "MouthOpen": _value("MouthOpen"),
    "Emotion": _emotion,
    "Pose": _angles("Pose", "Roll", "Yaw", "Pitch"),
    "Landmarks": _landmarks,
    # These the local server leaves out; AWS tells them.
    "Eyeglasses": _value("Eyeglasses"),
    "Sunglasses": _value("Sunglasses"),
    "Beard": _value("Beard"),
    "Mustache": _value("Mustache"),
    "FaceOccluded": _value("FaceOccluded"),
    "EyeDirection": _angles("EyeDirection", "Yaw", "Pitch"),
}

_Edges: TypeAlias = tuple[float, float, float, float]


def _edges(face: FaceDetail) -> _Edges:
    """Return left, top, right, bottom as fractions of the picture."""
    try:
        box = face["BoundingBox"]
        left, top = box["Left"], box["Top"]
        return left, top, left + box["Width"], top + box["Height"]
    except (KeyError, TypeError) as error:
        raise ProviderError("the answer holds a face without a whole BoundingBox: is this a Rekognition endpoint?") from error


def _area(edges: _Edges) -> float:
    left, top, right, bottom = edges
    return max(0.0, right - left) * max(0.0, bottom - top)


def _overlap(face: FaceDetail, other: FaceDetail) -> float:
    a, b = _edges(face), _edges(other)
    shared = _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    union = _area(a) + _area(b) - shared
    return shared / union if union else 0.0
