"""What may be asked of a photo: faces, labels, or whether two pictures show the same person."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboard.uploads import Picture, Upload
from pipeline.entities import Operation
from pipeline.errors import SettingsError
from pipeline.settings import parse_attributes

MOST_LABELS = 1000  # https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectLabels.html
ATTRIBUTES = {"attributes": {"type": "string", "example": "smile,emotions"}}
LABELS = {
    "min_confidence": {"type": "number", "minimum": 0, "maximum": 100},
    "max_labels": {"type": "integer", "minimum": 1, "maximum": MOST_LABELS},
}
COMPARISON = {"similarity_threshold": {"type": "number", "minimum": 0, "maximum": 100}}


@dataclass(frozen=True, slots=True)
class Question:
    """One call of Rekognition about one picture, or about source and target.

    `attributes` are Rekognition's names; `options` the members of its request that are neither pictures nor attributes.
    """

    operation: Operation
    pictures: tuple[Picture, ...]
    attributes: tuple[str, ...] = ()
    options: Mapping[str, float] = field(default_factory=dict)


def about_faces(upload: Upload) -> Question:
    """Ask for the faces and their attributes, all unless some are named; raises SettingsError."""
    return Question(Operation.DETECT_FACES, upload.pictures, _attributes(upload.asked.get("attributes")))


def about_labels(upload: Upload) -> Question:
    """Ask for what the picture shows; raises SettingsError for a bound that is none."""
    options = _options(upload, {"min_confidence": ("MinConfidence", 0, 100), "max_labels": ("MaxLabels", 1, MOST_LABELS)})
    return Question(Operation.DETECT_LABELS, upload.pictures, options=options)


def about_likeness(upload: Upload) -> Question:
    """Ask which faces of the second picture are that of the first; raises SettingsError for a threshold that is none."""
    options = _options(upload, {"similarity_threshold": ("SimilarityThreshold", 0, 100)})
    return Question(Operation.COMPARE_FACES, upload.pictures, options=options)


def _options(upload: Upload, known: Mapping[str, tuple[str, int, int]]) -> dict[str, float]:
    """Return the options that were given, by Rekognition's names."""
    found = {}
    for name, (member, least, most) in known.items():
        value = upload.asked.get(name)
        if value is not None and value != "":
            found[member] = _number(name, value, least, most, whole=member == "MaxLabels")
    return found


def _number(name: str, value: object, least: int, most: int, *, whole: bool) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        found = int(value) if whole and isinstance(value, str) else float(value)
    except (ValueError, OverflowError):
        found = math.nan
    if not least <= found <= most or (whole and found != int(found)):
        what = "a whole number" if whole else "a number"
        raise SettingsError(f"{name} {str(value)[:40]!r}: write {what} from {least} to {most}")
    return int(found) if whole else found


def _attributes(named: object) -> tuple[str, ...]:
    if named is None or named == "":
        return ("ALL",)
    is_list = isinstance(named, list) and all(isinstance(name, str) for name in named)
    if not isinstance(named, str) and not is_list:
        raise SettingsError(f"attributes {str(named)[:40]!r} are not names: write all, default, or for example smile,emotions")
    try:
        return parse_attributes(named)  # type: ignore[arg-type]  # a string or a list of strings, as just checked
    except ValueError as error:
        raise SettingsError(f"attributes {str(named)[:200]!r}: {error}") from error
