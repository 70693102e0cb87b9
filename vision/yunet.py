"""The net that finds faces (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023), and its answers."""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections
from vision.entities import Rgb
from vision.nets import Net

STRIDES = (8, 16, 32)
"""The net looks at a picture in cells of so many pixels; a picture's sides are multiples of the largest."""

_Cells: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]
"""Values n x 16, places (column, row) n x 2, strides n x 1, and the picture that each cell is in, n."""


class YuNet:
    """Sees faces of 10 to 300 pixels that stand upright, give or take 45 degrees; safe to call from several threads."""

    def __init__(self) -> None:
        self._net = Net("yunet")

    def see(self, pictures: Rgb, threshold: float) -> tuple[Detections, NDArray[np.intp]]:
        """Return every cell that sees a face with a score of at least `threshold`, and the index of its picture.

        `pictures` is n x height x width x 3, blue first, the sides multiples of 32. Neighbouring cells see one face
        several times: Detections.without_doubles is for that.
        """
        levels = zip(self._net(pictures), STRIDES, strict=True)
        parts = zip(*(_likely(cells, stride, threshold) for cells, stride in levels), strict=True)
        values, places, strides, owners = (np.concatenate(part) for part in parts)
        scores = np.sqrt((1 / (1 + np.exp(-values[:, :2]))).prod(axis=1))
        centers, sizes = (places + values[:, 2:4]) * strides, np.exp(values[:, 4:6]) * strides
        points = (places[:, None] + values[:, 6:].reshape(-1, 5, 2)) * strides[:, None]
        seen = Detections(np.hstack([centers - sizes / 2, sizes]), scores, points, np.zeros(len(scores)))
        sure = scores >= threshold
        return seen[sure], owners[sure]


def _likely(cells: NDArray[np.float32], stride: int, threshold: float) -> _Cells:
    """Return the cells (of n x 16 x rows x columns) that may reach the threshold.

    A score is the geometric mean of two sigmoids, so neither may be below the threshold's square: nearly all cells are
    dismissed by that, before anything is computed of them.
    """
    least = _logit(threshold**2)
    owners, rows, columns = np.unravel_index(
        np.flatnonzero((cells[:, 0] >= least) & (cells[:, 1] >= least)), (len(cells), *cells.shape[2:])
    )
    places = np.column_stack([columns, rows]).astype(np.float64)
    return cells[owners, :, rows, columns].astype(np.float64), places, np.full((len(places), 1), float(stride)), owners


def _logit(share: float) -> float:
    share = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(share / (1 - share))
