"""Results as rows of the tables: pure, and proof against whatever a worker or Rekognition may have put there."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from history.packing import packed
from history.schema import AGE_SECONDS, AGES, EMOTIONS, SUM_STEPS
from pipeline import keys
from pipeline.camera_spec import PHOTO_PREFIX
from pipeline.entities import Operation, Result
from pipeline.faces import IGNORED
from pipeline.names import TRACK
from pipeline.provider import Provider
from pipeline.spending import charged_calls
from pipeline.texts import writable

NO_CAMERA = "photo"
"""Under which what was asked of no camera is counted: photos, and calls about people. Nothing of their answers is kept."""

MINUTE = 60
_WHO = ("FaceMatches", "UserMatches")
_SMILES = 50.0
_AWS = "aws "

Row = dict[str, Any]

NOTHING: Row = {
    **dict.fromkeys(("results", "calls", "errors", "faces", "smiling", "female", "male", *EMOTIONS, *AGES), 0),
    **dict.fromkeys(("dollars", "age_sum", "age_max"), 0.0),
}
"""What no results add up to."""

_COUNTS = tuple(name for name in NOTHING if name != "age_max")


def camera_of(result: Result) -> str:
    """Return the camera that a result belongs to: also that of a search or of labels; NO_CAMERA if to none."""
    camera = keys.camera_of_mailbox(result.camera)
    return NO_CAMERA if camera.startswith(PHOTO_PREFIX) else _text(camera) or NO_CAMERA


def row_of(result: Result, stream: int) -> Row:
    """Return the row of a result."""
    camera = camera_of(result)
    track = result.response.get(TRACK) if result.operation != Operation.DETECT_FACES else None
    return {
        "stream": stream,
        "id": result.id,
        "camera": camera,
        "operation": _text(result.operation) or "",
        "provider": _text(result.provider) or "",
        "captured_at": _time(result.captured_at, result.published_at),
        "published_at": _time(result.published_at, 0.0),
        "faces": 0 if camera == NO_CAMERA else len(list(_counted(result))),
        "track": _text(track) if camera != NO_CAMERA else None,
        "error": _text(result.error.get("Code") or result.error.get("code") or "error") if result.error else None,
        "dollars": dollars_of(result),
        "response": None if camera == NO_CAMERA else packed(_kept(result)),
    }


def _kept(result: Result) -> dict[str, Any]:
    """Return a result as the API shows it, without whom a search found: that stands with the track, and is forgotten there."""
    about = result.as_json()
    return about if result.operation == Operation.DETECT_FACES else {name: about[name] for name in about if name not in _WHO}


def dollars_of(result: Result) -> float:
    """Return what the calls of a result cost, at most: each that is charged at its dearest step, as the budget counts."""
    if not result.provider.startswith(_AWS):
        return 0.0
    return charged_calls(result) * Provider("aws", result.provider.removeprefix(_AWS)).dollars_per_call(result.operation)


def face_rows(result: Result, number: int) -> list[Row]:
    """Return the rows of the faces that count in the result of this number; none of photos."""
    if camera_of(result) == NO_CAMERA:
        return []
    return [_face_row(result, number, place, face) for place, face in _counted(result)]


def track_rows(results: Iterable[Result]) -> list[Row]:
    """Return a row for each track that was seen in the results: when, and how often."""
    found: dict[str, Row] = {}
    for result in results:
        camera, at = camera_of(result), _time(result.captured_at, result.published_at)
        for _, face in _counted(result) if camera != NO_CAMERA else ():
            if track := _text(face.get(TRACK)):
                row = found.setdefault(track, {"track": track, "camera": camera, "since": at, "until": at, "faces": 0})
                row["since"], row["until"] = min(row["since"], at), max(row["until"], at)
                row["faces"] += 1
    return list(found.values())


def minute_rows(results: Iterable[Result]) -> list[Row]:
    """Return what the results of each camera and minute add up to."""
    found: dict[tuple[str, int], Row] = {}
    for result in results:
        camera, at = camera_of(result), _time(result.captured_at, result.published_at)
        minute = int(at // MINUTE) * MINUTE
        row = found.setdefault((camera, minute), {"camera": camera, "minute": minute, **NOTHING})
        row["calls"] += 1
        row["dollars"] += dollars_of(result)
        row["errors"] += bool(result.error)
        if result.operation == Operation.DETECT_FACES and not result.error:
            _count_result(row, result, max(0.0, _time(result.published_at, at) - at), faces=camera != NO_CAMERA)
    return list(found.values())


def sum_rows(of_minutes: Iterable[Row]) -> list[Row]:
    """Return what rows of minutes add up to in each of SUM_STEPS."""
    found: dict[tuple[str, int, int], Row] = {}
    for minute in of_minutes:
        for step in SUM_STEPS:
            camera, at = minute["camera"], minute["minute"] // step * step
            row = found.setdefault((camera, step, at), {"camera": camera, "step": step, "at": at, **NOTHING})
            for name in _COUNTS:
                row[name] += minute[name]
            row["age_max"] = max(row["age_max"], minute["age_max"])
    return list(found.values())


def _count_result(row: Row, result: Result, age: float, *, faces: bool) -> None:
    row["results"] += 1
    row["age_sum"] += age
    row["age_max"] = max(row["age_max"], age)
    row[AGES[bisect.bisect_left(AGE_SECONDS, age)]] += 1
    for _, face in _counted(result) if faces else ():
        about = _face_row(result, 0, 0, face)
        row["faces"] += 1
        row["smiling"] += (about["smile"] or 0.0) > _SMILES
        if about["gender"] in ("Female", "Male"):
            row[about["gender"].lower()] += 1
        if (emotion := (about["emotion"] or "").lower()) in EMOTIONS:
            row[emotion] += 1


def _face_row(result: Result, number: int, place: int, face: Mapping[str, Any]) -> Row:
    age, pose, box = part(face, "AgeRange"), part(face, "Pose"), part(face, "BoundingBox")
    emotion, confidence = _surest(face.get("Emotions"))
    height, width = number_of(box.get("Height")), number_of(box.get("Width"))
    return {
        "result": number,
        "place": place,
        "camera": camera_of(result),
        "at": _time(result.captured_at, result.published_at),
        "track": _text(face.get(TRACK)),
        "age_low": _whole(age.get("Low")),
        "age_high": _whole(age.get("High")),
        "gender": _text(part(face, "Gender").get("Value")),
        "emotion": emotion,
        "emotion_confidence": confidence,
        "smile": likelihood(part(face, "Smile")),
        "yaw": number_of(pose.get("Yaw")),
        "pitch": number_of(pose.get("Pitch")),
        "roll": number_of(pose.get("Roll")),
        "height_px": None if height is None else height * result.height,
        "width_px": None if width is None else width * result.width,
        "confidence": number_of(face.get("Confidence")),
    }


def _counted(result: Result) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Yield the faces that count, with their places in FaceDetails."""
    faces = result.response.get("FaceDetails")
    for place, face in enumerate(faces if isinstance(faces, list) else ()):
        if isinstance(face, dict) and IGNORED not in face:
            yield place, face


def _surest(emotions: Any) -> tuple[str | None, float | None]:
    """Return the emotion that is most likely, and how likely it is."""
    known = [(number_of(one.get("Confidence")) or 0.0, _text(one.get("Type"))) for one in _dicts(emotions)]
    named = [(confidence, name) for confidence, name in known if name]
    if not named:
        return None, None
    confidence, name = max(named)
    return name, confidence


def likelihood(answer: Mapping[str, Any]) -> float | None:
    """Return how likely a yes is, in percent; Rekognition says how sure it is of its yes or no."""
    confidence, value = number_of(answer.get("Confidence")), answer.get("Value")
    if confidence is None or not isinstance(value, bool):
        return None
    return confidence if value else 100.0 - confidence


def _dicts(values: Any) -> Sequence[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a member that should be an object, an empty one if it is none."""
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def number_of(value: Any) -> float | None:
    """Return what should be a finite number, None if it is none."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_one else None


def _whole(value: Any) -> int | None:
    number = number_of(value)
    return None if number is None or abs(number) > 1e6 else int(number)  # noqa: PLR2004  # no database minds so small ones


def _time(value: float, instead: float) -> float:
    return value if math.isfinite(value) else instead


def _text(value: Any) -> str | None:
    return writable(value) if isinstance(value, str) else None
