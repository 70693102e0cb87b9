"""The faces of one frame from near: cut out with a margin, and as vectors. It is decoded when that is needed, and once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.entities import Frame
from vision.embedding import distance
from vision.entities import Box, Rgb
from vision.nets import OnFirstUse
from vision.pictures import decode
from vision.recognizer import Recognizer
from workers.views import View

MARGIN = 0.5
"""What is left around a face on each side, in widths and heights of its box: a face that fills a picture is found badly."""

LEAST_SIDE, MOST_SIDE = 96, 480
"""Pixels of a cut's shorter and longer side: Rekognition refuses less than 80, and gains nothing from more than these."""

MOST_VECTORS = 6
"""Faces of one frame that are compared at most, 9 ms each: in a crowd the others are told apart by their boxes."""

_QUALITY = 90

recognizer = OnFirstUse(Recognizer)


@dataclass(frozen=True, slots=True)
class Cut:
    """A face cut out of its frame."""

    jpeg: bytes
    width: int
    height: int


class Closeups:
    """Looks closer at the faces of one frame; for one thread. `kept_vector` returns what is kept of a track, by its number."""

    def __init__(self, frame: Frame, views: Sequence[View], kept_vector: Callable[[int], bytes]) -> None:
        self._frame = frame
        self._views = views
        self._kept_vector = kept_vector
        self._decoded: Rgb | None = None
        self._vectors: dict[int, NDArray[np.float32] | None] = {}
        self._kept: dict[int, NDArray[np.float32] | None] = {}
        self._cuts: dict[int, Cut] = {}

    @property
    def compared(self) -> int:
        """How many faces of the frame were made into vectors."""
        return len(self._vectors)

    def unlikeness(self, face: int, track: int) -> float | None:
        """Return how far a face is from the best view of a track (`vision.tracks.Unlikeness`)."""
        if track not in self._kept:
            kept = self._kept_vector(track)
            self._kept[track] = np.frombuffer(kept, np.float32) if kept else None
        known = self._kept[track]
        if known is None or (face not in self._vectors and self.compared >= MOST_VECTORS):
            return None
        own = self.vector(face)
        return None if own is None or own.shape != known.shape else float(distance(own, known))

    def vector(self, face: int) -> NDArray[np.float32] | None:
        """Return the vector of a face, by its place among the views; None where its points are not found surely."""
        if face not in self._vectors:
            view = self._views[face]
            self._vectors[face] = recognizer().vectors(self._rgb(), [view.box], [view.roll])[0]
        return self._vectors[face]

    def cut(self, face: int) -> Cut:
        """Return a face with its margin; faces beside it are painted over, lest the largest of them be searched instead."""
        if face not in self._cuts:
            others = [view.box for place, view in enumerate(self._views) if place != face]
            self._cuts[face] = cut_out(self._rgb(), self._views[face].box, others)
        return self._cuts[face]

    def _rgb(self) -> Rgb:
        if self._decoded is None:
            self._decoded = decode(self._frame.jpeg)
        return self._decoded


def cut_out(rgb: Rgb, box: Box, others: Sequence[Box]) -> Cut:
    """Return a face of a picture with MARGIN around it as a JPEG, without the other faces there; boxes are fractions."""
    left, top = box.left - MARGIN * box.width, box.top - MARGIN * box.height
    around = Box(left, top, box.width * (1 + 2 * MARGIN), box.height * (1 + 2 * MARGIN))
    rows, columns = _pixels(around, rgb)
    cut = rgb[rows, columns].copy()
    own = _pixels(box, rgb)
    kept = rgb[own].copy()
    for other in others:
        down, across = _pixels(other, rgb)
        cut[_within(down, rows), _within(across, columns)] = cut.mean(axis=(0, 1))
    cut[_within(own[0], rows), _within(own[1], columns)] = kept
    height, width = cut.shape[:2]
    scale = min(max(1.0, LEAST_SIDE / min(height, width)), MOST_SIDE / max(height, width))
    if scale != 1:
        size = max(LEAST_SIDE, round(width * scale)), max(LEAST_SIDE, round(height * scale))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(cut, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return Cut(data.tobytes(), cut.shape[1], cut.shape[0])


def _pixels(box: Box, rgb: Rgb) -> tuple[slice, slice]:
    """Return the rows and columns of a box that lie in the picture: at least one of each."""
    return _span(box.top, box.height, rgb.shape[0]), _span(box.left, box.width, rgb.shape[1])


def _span(start: float, length: float, size: int) -> slice:
    first = min(max(0, math.floor(start * size)), size - 1)
    return slice(first, max(first + 1, min(size, math.ceil((start + length) * size))))


def _within(part: slice, whole: slice) -> slice:
    """Return a span in the coordinates of one that it may reach beyond."""
    return slice(max(part.start, whole.start) - whole.start, max(min(part.stop, whole.stop), whole.start) - whole.start)
