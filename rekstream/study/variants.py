"""The variants of one picture: smaller, darker and brighter, with a part of the face covered, and out of S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import cv2
import numpy as np

from dashboard.pictures import SHORTEST_SIDE
from rekstream.study.covers import PARTS, cover
from rekstream.study.pictures import Picture, Pixels, as_jpeg

SIDES = (1920, 1280, 960, 640, 480, 320, 240, 160)
"""Longest sides in pixels; those that a picture does not reach are left out, and the smallest that is taken is added."""

GAINS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""What each of a pixel's values is multiplied with; 1 shows what encoding the picture anew does by itself."""


class Change(StrEnum):
    """What is done to the picture."""

    NOTHING = "as is"
    RESOLUTION = "resolution"
    BRIGHTNESS = "brightness"
    COVER = "cover"
    S3 = "s3"


CHANGES = tuple(change for change in Change if change is not Change.NOTHING)
"""What can be chosen with --only."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which the picture is shown: its size in pixels, and the picture's bytes in the call (0 out of S3)."""

    change: Change
    name: str
    width: int
    height: int
    bytes_sent: int


@dataclass(frozen=True, slots=True)
class Question:
    """A variant, and the Image that Rekognition is given for it."""

    variant: Variant
    image: Mapping[str, Any] = field(repr=False)


def as_it_is(picture: Picture) -> Question:
    """Return the question that all others are compared with: the file's own bytes."""
    variant = Variant(Change.NOTHING, "as is", picture.width, picture.height, len(picture.data))
    return Question(variant, {"Bytes": picture.data})


def out_of_s3(picture: Picture, place: Mapping[str, str]) -> Question:
    """Return the question about the same bytes, as an object in S3."""
    return Question(Variant(Change.S3, "S3 object", picture.width, picture.height, 0), {"S3Object": dict(place)})


def changed(picture: Picture, face: Mapping[str, Any], changes: frozenset[Change]) -> Iterator[Question]:
    """Yield what the changes make of a picture, as JPEGs; covers lie on `face`, a FaceDetail. Raises PictureError."""
    pixels = picture.pixels()
    if Change.RESOLUTION in changes:
        for name, width, height in sizes(picture.width, picture.height):
            yield _question(Change.RESOLUTION, name, _smaller(pixels, width, height))
    if Change.BRIGHTNESS in changes:
        for gain in GAINS:
            yield _question(Change.BRIGHTNESS, f"{gain:.0%}", _brightened(pixels, gain))
    if Change.COVER in changes:
        for part in PARTS:
            yield _question(Change.COVER, part, cover(pixels, face, part))


def count(picture: Picture, changes: frozenset[Change]) -> int:
    """Return how many questions there will be about a picture, the unchanged one included."""
    each = {
        Change.RESOLUTION: sum(1 for _ in sizes(picture.width, picture.height)),
        Change.BRIGHTNESS: len(GAINS),
        Change.COVER: len(PARTS),
        Change.S3: 1,
    }
    return 1 + sum(each[change] for change in changes)


def sizes(width: int, height: int) -> Iterator[tuple[str, int, int]]:
    """Yield the names, widths and heights of the smaller copies, down to the least that Rekognition takes."""
    longest, smallest = max(width, height), min(width, height)
    for side in SIDES:
        across, down = round(width * side / longest), round(height * side / longest)
        if side < longest and min(across, down) >= SHORTEST_SIDE:
            yield str(side), across, down
            smallest = min(across, down)
    if smallest > SHORTEST_SIDE:
        scale = SHORTEST_SIDE / min(width, height)
        yield "least", round(width * scale), round(height * scale)


def _smaller(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _brightened(pixels: Pixels, gain: float) -> Pixels:
    """Return each value times `gain`; what comes out above 255 is clipped, as a camera's sensor does."""
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=gain), np.uint8)


def _question(change: Change, name: str, pixels: Pixels) -> Question:
    jpeg = as_jpeg(pixels)
    height, width = pixels.shape[:2]
    return Question(Variant(change, name, width, height, len(jpeg)), {"Bytes": jpeg})
