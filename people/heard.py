"""What results say of people: which tracks were seen when, and whom searches of their faces found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline import keys
from pipeline.entities import Operation, Result
from pipeline.faces import counted_faces
from pipeline.names import TRACK

WEIGHT = "Weight"
"""Beside Track in the answer of a search: how good the searched view was, as workers weigh it."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A track in some results: when it was seen first and last in them, and the result that came last."""

    track: str
    camera: str
    began: float
    ended: float
    result: str


@dataclass(frozen=True, slots=True)
class Search:
    """An answered search of a track's face: `matches` are Rekognition's, `weight` None where it is not said."""

    track: str
    result: str
    at: float
    weight: float | None
    matches: tuple[Mapping[str, Any], ...]


def sightings(results: Iterable[Result], names_people: Callable[[str], bool]) -> dict[str, Sighting]:
    """Return the tracks that were seen, by their ids; none of cameras whose purpose is to know nobody."""
    found: dict[str, Sighting] = {}
    for result in results:
        if result.operation != Operation.DETECT_FACES or result.error or not math.isfinite(result.captured_at):
            continue
        tracks = [face.get(TRACK) for face in counted_faces(result.response) if isinstance(face, dict)]
        if not tracks or not names_people(result.camera):
            continue
        for track in tracks:
            if isinstance(track, str):
                _see(found, Sighting(track, result.camera, result.captured_at, result.captured_at, result.id))
    return found


def searches(results: Iterable[Result], names_people: Callable[[str], bool]) -> list[Search]:
    """Return the searches of tracks' faces that were answered, in the order of the results."""
    return [
        Search(track, result.id, result.captured_at, _number(result.response.get(WEIGHT)), _matches(result.response))
        for result in results
        if result.operation == Operation.SEARCH_FACES_BY_IMAGE and not result.error
        if isinstance(track := result.response.get(TRACK), str) and names_people(keys.camera_of_mailbox(result.camera))
    ]


def _see(found: dict[str, Sighting], sighting: Sighting) -> None:
    known = found.get(sighting.track, sighting)
    found[sighting.track] = replace(sighting, began=min(known.began, sighting.began), ended=max(known.ended, sighting.ended))


def _matches(response: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    matches = response.get("FaceMatches")
    return tuple(match for match in matches if isinstance(match, dict)) if isinstance(matches, list) else ()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else None
