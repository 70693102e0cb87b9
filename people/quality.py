"""Whether a picture is good enough to know somebody by: bad pictures poison a library of faces.

What blur and smallness do to faces was measured with the local models (docs/accuracy.md); AWS does not publish its own bars,
which IndexFaces applies as well (QualityFilter AUTO).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from people.calls import Picture
from pipeline.errors import EnrolmentRefused

LEAST_HEIGHT = 50  # pixels
LEAST_CONFIDENCE = 90.0  # percent
LEAST_SHARPNESS, LEAST_BRIGHTNESS = 25.0, 25.0  # of 100
MOST_TURNED = 35.0  # degrees
_MUCH_LARGER = 2.0  # by area: the face that a crop is of, beside one that it touches

_REASONS = {
    "EXTREME_POSE": "it is turned away too far",
    "LOW_BRIGHTNESS": "it is too dark",
    "LOW_SHARPNESS": "it is blurred",
    "LOW_CONFIDENCE": "it is not surely a face",
    "SMALL_BOUNDING_BOX": "it is too small",
    "LOW_FACE_QUALITY": "too little of it can be made out",
}


def checked(faces: Sequence[Mapping[str, Any]], picture: Picture, *, is_crop: bool) -> dict[str, float]:
    """Return what was measured of the face that a picture shows; raises EnrolmentRefused with the value and what to do.

    `faces` are FaceDetails; `height` is in pixels, `sharpness` and `brightness` of 100, `turned` in degrees.
    """
    face = _the_one(faces, is_crop=is_crop)
    seen = {
        "height": round(float(face["BoundingBox"]["Height"]) * picture.height),
        "sharpness": round(float(face.get("Quality", {}).get("Sharpness", 100)), 1),
        "brightness": round(float(face.get("Quality", {}).get("Brightness", 100)), 1),
        "turned": round(max(abs(float(face.get("Pose", {}).get(angle, 0))) for angle in ("Yaw", "Pitch")), 1),
    }
    for sentence in _faults(seen, float(face.get("Confidence", 100))):
        raise EnrolmentRefused(sentence)
    return seen


def unindexed(faces: Sequence[Mapping[str, Any]]) -> str:
    """Return one sentence on why Rekognition indexed nothing."""
    reasons = [_REASONS.get(reason, str(reason)) for face in faces[:1] for reason in face.get("Reasons", ())]
    return f"Rekognition does not take the face ({' and '.join(reasons) or 'it finds none'}): send another picture"


def _faults(seen: Mapping[str, float], confidence: float) -> Iterator[str]:
    if confidence < LEAST_CONFIDENCE:
        yield f"it is not sure that this is a face ({confidence:.0f} %): send a clearer picture of it"
    if seen["height"] < LEAST_HEIGHT:
        yield f"the face is {seen['height']:g} pixels high, {LEAST_HEIGHT} are needed: send a closer picture, or a larger one"
    if seen["sharpness"] < LEAST_SHARPNESS:
        yield f"the face is blurred (sharpness {seen['sharpness']:g}, {LEAST_SHARPNESS:g} are needed): send a sharper picture"
    if seen["brightness"] < LEAST_BRIGHTNESS:
        yield f"the face is too dark (brightness {seen['brightness']:g}, {LEAST_BRIGHTNESS:g} are needed): send a lighter one"
    if seen["turned"] > MOST_TURNED:
        yield f"the face is turned away by {seen['turned']:.0f} degrees, {MOST_TURNED:g} at most: send one that looks this way"


def _the_one(faces: Sequence[Mapping[str, Any]], *, is_crop: bool) -> Mapping[str, Any]:
    if not faces:
        raise EnrolmentRefused("there is no face in the picture: send one that shows the face from the front")
    largest, *others = sorted(faces, key=_area, reverse=True)
    if others and not (is_crop and _area(largest) > _MUCH_LARGER * _area(others[0])):
        raise EnrolmentRefused(
            f"there are {len(faces)} faces in the picture, and one alone is needed: send one of this person only, or cut it"
        )
    return largest


def _area(face: Mapping[str, Any]) -> float:
    return float(face["BoundingBox"]["Width"]) * float(face["BoundingBox"]["Height"])
