"""Where the faces are: YuNet (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023)."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.entities import Rgb
from vision.nets import Net

USUAL_SIDE = 640
LARGE_SIDE = 1280
LARGE_PICTURE = 1280
"""Pictures longer than this are searched at LARGE_SIDE: at 640 a 40-pixel face of a 1080p picture is 13 pixels."""

_STRIDES = (8, 16, 32)
_HALVE_AT = 0.25  # OpenCV's area resize is fast at exactly one half only


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How to search: `side` is the longest side in pixels the search sees, None chooses by the picture's size.

    | longest side of the picture | side chosen | finds faces from about | cost on one core |
    |---|---|---|---|
    | up to 1280 (720p) | 640 | 40 of 720 pixels | 5 to 7 ms |
    | more (1080p and up) | 1280 | 36 of 1080 pixels | 22 to 40 ms |

    `threshold` is the least score of a face, 0 to 1; `overlap` the most that two faces share before one is dropped.
    """

    side: int | None = None
    threshold: float = 0.7
    overlap: float = 0.3

    def side_for(self, width: int, height: int) -> int:
        """Return the side to search a picture of this size at."""
        if self.side is not None:
            return self.side
        return LARGE_SIDE if max(width, height) > LARGE_PICTURE else USUAL_SIDE


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces found, largest first.

    Boxes n x 4 (left, top, width, height in pixels), scores n (0 to 1), and points n x 5 x 2 in pixels: the middles of
    the eyes, the tip of the nose, the corners of the mouth, each pair as an upright face shows it, left one first.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    points: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Detections":
        return Detections(self.boxes[chosen], self.scores[chosen], self.points[chosen])

    def largest(self, count: int) -> "Detections":
        """Return at most `count` of them, the largest."""
        return self[:count]

    def scaled(self, across: float, down: float) -> "Detections":
        """Return them as they lie in a copy of the picture so many times as wide and as high."""
        factors = np.array([across, down])
        return Detections(self.boxes * np.tile(factors, 2), self.scores, self.points * factors)


class Detector:
    """Finds faces in pictures of any size; safe to call from several threads at once."""

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self._settings = settings or DetectorSettings()
        self._net = Net("yunet")

    def detect(self, rgb: Rgb) -> Detections:
        """Return the faces in an RGB picture."""
        height, width = rgb.shape[:2]
        small = _shrink(rgb, self._settings.side_for(width, height))
        found = self._search(small).scaled(width / small.shape[1], height / small.shape[0])
        return found[np.argsort(-found.boxes[:, 2] * found.boxes[:, 3])]

    def _search(self, rgb: Rgb) -> Detections:
        least, overlap = self._settings.threshold, self._settings.overlap
        boxes, scores, points = _decode(self._net(_as_input(rgb)), least)
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), least, overlap) if len(scores) else ()
        return Detections(boxes, scores, points)[np.asarray(kept, np.intp).ravel()]


def _shrink(rgb: Rgb, side: int) -> Rgb:
    """Reduce to a longest side of `side` pixels; smaller pictures stay as they are."""
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale <= _HALVE_AT:
        rgb = _resize(rgb, (max(1, width // 2), max(1, height // 2)))
    # Area averaging costs 1 to 4 ms at odd factors; linear is cheaper, and moves boxes by up to 5 % of a face.
    return _resize(rgb, size) if scale < 1 else rgb


def _resize(rgb: Rgb, size: tuple[int, int]) -> Rgb:
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _as_input(rgb: Rgb) -> Rgb:
    """Blue first, and padded with black to multiples of the largest stride, as the net wants it."""
    height, width = rgb.shape[:2]
    padded_height, padded_width = (-(-length // _STRIDES[-1]) * _STRIDES[-1] for length in (height, width))
    batch = np.zeros((1, padded_height, padded_width, 3), np.uint8)
    batch[0, :height, :width] = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return batch


_Found: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Three arrays of n rows each."""


def _decode(levels: list[NDArray[np.float32]], threshold: float) -> _Found:
    """Return what the net's cells (for each stride 1 x 16 x rows x columns) see with a score of at least `threshold`."""
    chosen = [_likely(level[0], stride, threshold) for level, stride in zip(levels, _STRIDES, strict=True)]
    values, places, strides = (np.concatenate(part) for part in zip(*chosen, strict=True))
    scores = np.sqrt((1 / (1 + np.exp(-values[:, :2]))).prod(axis=1))
    sure = scores >= threshold
    values, places, strides = values[sure], places[sure], strides[sure]
    centers, sizes = (places + values[:, 2:4]) * strides, np.exp(values[:, 4:6]) * strides
    points = (places[:, None] + values[:, 6:].reshape(-1, 5, 2)) * strides[:, None]
    return np.hstack([centers - sizes / 2, sizes]), scores[sure], points


def _likely(cells: NDArray[np.float32], stride: int, threshold: float) -> _Found:
    """Return the values (n x 16), places (column, row) and stride of the cells that may reach the threshold.

    A score is the geometric mean of two sigmoids, so neither may be below the threshold's square: nearly all cells are
    dismissed by that, before anything is computed of them.
    """
    flat, columns, least = cells.reshape(len(cells), -1), cells.shape[2], _logit(threshold**2)
    chosen = np.flatnonzero((flat[0] >= least) & (flat[1] >= least))
    places = np.column_stack([chosen % columns, chosen // columns]).astype(np.float64)
    return flat[:, chosen].T.astype(np.float64), places, np.full((len(chosen), 1), float(stride))


def _logit(share: float) -> float:
    share = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(share / (1 - share))
