"""Where the faces are: YuNet (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023)."""

from dataclasses import dataclass
from functools import lru_cache

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
    """Faces found, largest first: boxes n x 4 (left, top, width, height in pixels) and scores n, 0 to 1."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)

    def largest(self, count: int) -> "Detections":
        """Return at most `count` of them, the largest."""
        return Detections(self.boxes[:count], self.scores[:count])


class Detector:
    """Finds faces in pictures of any size; safe to call from several threads at once."""

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self._settings = settings or DetectorSettings()
        self._net = Net("yunet")

    def detect(self, rgb: Rgb) -> Detections:
        """Return the faces in an RGB picture."""
        height, width = rgb.shape[:2]
        small = _shrink(rgb, self._settings.side_for(width, height))
        boxes, scores = self._search(_as_input(small))
        boxes *= np.tile([width / small.shape[1], height / small.shape[0]], 2)
        order = np.argsort(-boxes[:, 2] * boxes[:, 3])
        return Detections(boxes[order], scores[order])

    def _search(self, batch: Rgb) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        outputs = [np.concatenate(level, axis=1)[0] for level in _by_kind(self._net(batch))]
        classes, objects, offsets = outputs[0][:, 0], outputs[1][:, 0], outputs[2]
        scores = np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1)).astype(np.float64)
        candidates = np.flatnonzero(scores >= self._settings.threshold)
        cells, strides = _grid(batch.shape[1], batch.shape[2])
        boxes = _decode_boxes(offsets[candidates], cells[candidates], strides[candidates])
        kept = self._drop_doubles(boxes, scores[candidates])
        return boxes[kept], scores[candidates][kept]

    def _drop_doubles(self, boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.intp]:
        if not len(boxes):
            return np.zeros(0, np.intp)
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), self._settings.threshold, self._settings.overlap)
        return np.asarray(kept, np.intp).ravel()


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


def _by_kind(outputs: list[NDArray[np.float32]]) -> list[list[NDArray[np.float32]]]:
    """Group the twelve outputs: classes, objectness, boxes, keypoints, each of three strides."""
    count = len(_STRIDES)
    return [outputs[start : start + count] for start in range(0, len(outputs), count)]


def _decode_boxes(
    offsets: NDArray[np.float32], cells: NDArray[np.float64], strides: NDArray[np.float64]
) -> NDArray[np.float64]:
    centers = (cells + offsets[:, :2]) * strides
    sizes = np.exp(offsets[:, 2:].astype(np.float64)) * strides
    return np.hstack([centers - sizes / 2, sizes])


@lru_cache(maxsize=64)
def _grid(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cell (column, row) and the stride of each of the net's answers for an input of this size."""
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
        cells.append(np.stack([columns, rows], axis=-1).reshape(-1, 2))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float64), np.concatenate(strides).astype(np.float64)
