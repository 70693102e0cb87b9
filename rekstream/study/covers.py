"""Parts of a face, covered by a grey patch that lies as the face does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rekstream.study.pictures import Pixels

# Left, right, top, bottom. Across, the eyes lie at -0.5 and 0.5; down, they lie at 0 and the mouth at 1.
PARTS: Mapping[str, tuple[float, float, float, float]] = {
    "eyes": (-1.0, 1.0, -0.35, 0.3),
    "nose": (-0.4, 0.4, 0.1, 0.75),
    "mouth": (-0.7, 0.7, 0.75, 1.3),
    "forehead": (-1.2, 1.2, -1.3, -0.4),
    "left half": (-1.6, 0.0, -1.5, 2.1),
    "right half": (0.0, 1.6, -1.5, 2.1),
    "lower half": (-1.3, 1.3, 0.4, 2.1),
}
"""What can be covered; left and right are the picture's. The lower half is what a mask hides."""

_GREY = (128, 128, 128)
_CORNERS = ("eyeLeft", "eyeRight", "mouthLeft", "mouthRight")
_LEAST_SPAN = 0.2  # of the box's shorter side; eyes closer than this (a profile) say too little of what lies where


def cover(pixels: Pixels, face: Mapping[str, Any], part: str) -> Pixels:
    """Return a copy with one of PARTS hidden, placed by the landmarks of `face` (a FaceDetail), or by its box."""
    height, width = pixels.shape[:2]
    frame = _frame(face, np.array([width, height], np.float64))
    left, right, top, bottom = PARTS[part]
    corners = [frame.at(across, down) for across, down in ((left, top), (right, top), (right, bottom), (left, bottom))]
    covered = pixels.copy()
    cv2.fillConvexPoly(covered, np.rint(corners).astype(np.int32), _GREY, cv2.LINE_AA)
    return covered


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the face lies, in pixels: the middle of the eyes, from eye to eye, and from the eyes to the mouth."""

    origin: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]

    def at(self, across: float, down: float) -> NDArray[np.float64]:
        return self.origin + across * self.across + down * self.down


def _frame(face: Mapping[str, Any], size: NDArray[np.float64]) -> _Frame:
    by_box = _frame_of_box(face["BoundingBox"], size)
    points = {point["Type"]: np.array([point["X"], point["Y"]]) * size for point in face.get("Landmarks", ())}
    if not all(name in points for name in _CORNERS):
        return by_box
    eye_left, eye_right, mouth_left, mouth_right = (points[name] for name in _CORNERS)
    origin = (eye_left + eye_right) / 2
    by_points = _Frame(origin, eye_right - eye_left, (mouth_left + mouth_right) / 2 - origin)
    least = _LEAST_SPAN * min(face["BoundingBox"]["Width"] * size[0], face["BoundingBox"]["Height"] * size[1])
    is_seen = min(np.linalg.norm(by_points.across), np.linalg.norm(by_points.down)) >= least
    return by_points if is_seen else by_box


def _frame_of_box(box: Mapping[str, float], size: NDArray[np.float64]) -> _Frame:
    """Return where eyes and mouth of an upright face in this box would be."""
    width, height = np.array([box["Width"], box["Height"]]) * size
    corner = np.array([box["Left"], box["Top"]]) * size
    origin = corner + np.array([0.5 * width, 0.38 * height])
    return _Frame(origin, np.array([0.48 * width, 0.0]), np.array([0.0, 0.4 * height]))
