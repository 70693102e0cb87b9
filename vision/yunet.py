"""The net that finds faces (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023), and its answers."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections
from vision.entities import Rgb
from vision.nets import Net

STRIDES = (8, 16, 32)
"""The net looks at a picture in cells of so many pixels; a picture's sides are multiples of the largest."""


class YuNet:
    """Sees faces of 10 to 300 pixels that stand upright, give or take 45 degrees; safe to call from several threads."""

    def __init__(self) -> None:
        self._net = Net("yunet")

    def see(
        self, pictures: Rgb, least: float, *, sure: float = 0.0, most_unsure: int = 0
    ) -> tuple[Detections, NDArray[np.intp]]:
        """Return the cells that see a face with a score of at least `least`, and the index of each one's picture.

        `pictures` is n x height x width x 3, blue first, the sides multiples of 32. Of scores below `sure` only the
        `most_unsure` highest are returned. Neighbouring cells see one face several times: Detections.without_doubles
        is for that.
        """
        levels = [level.reshape(*level.shape[:2], -1) for level in self._net(pictures)]
        cells = np.concatenate(levels, axis=2)
        # A score is the geometric mean of two sigmoids, so neither may be below its square: most cells end here.
        likely = np.flatnonzero(np.minimum(cells[:, 0], cells[:, 1]) >= _logit(least**2))
        owners, at = np.divmod(likely, cells.shape[2])
        scores = np.sqrt((1 / (1 + np.exp(-cells[owners, :2, at].astype(np.float64)))).prod(axis=1))
        chosen = _chosen(scores, least, sure, most_unsure)
        owners, at = owners[chosen], at[chosen]
        return _decode(cells[owners, 2:, at], scores[chosen], *_grid(*pictures.shape[1:3]), at), owners


def _chosen(scores: NDArray[np.float64], least: float, sure: float, most_unsure: int) -> NDArray[np.intp]:
    """Return which scores are high enough: all that are sure, and so many others."""
    if sure <= least:
        return np.flatnonzero(scores >= least)
    unsure = np.flatnonzero((scores >= least) & (scores < sure))
    if len(unsure) > most_unsure:
        unsure = unsure[np.argsort(-scores[unsure], kind="stable")[:most_unsure]]
    return np.concatenate([np.flatnonzero(scores >= sure), unsure])


def _decode(
    values: NDArray[np.float32],
    scores: NDArray[np.float64],
    places: NDArray[np.float64],
    strides: NDArray[np.float64],
    at: NDArray[np.intp],
) -> Detections:
    """Return what the cells `at` these places say (n x 14: center, size, five points) as boxes and points in pixels."""
    values, corners, strides = values.astype(np.float64), places[at], strides[at]
    centers, sizes = (corners + values[:, :2]) * strides, np.exp(values[:, 2:4]) * strides
    points = (corners[:, None] + values[:, 4:].reshape(-1, 5, 2)) * strides[:, None]
    return Detections(np.hstack([centers - sizes / 2, sizes]), scores, points, np.zeros(len(scores)))


@lru_cache(maxsize=64)
def _grid(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return column and row, and the stride, of each cell of a picture of this size, in the order of the net's answers."""
    places, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
        places.append(np.stack([columns, rows], axis=-1).reshape(-1, 2))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(places).astype(np.float64), np.concatenate(strides).astype(np.float64)


def _logit(share: float) -> float:
    share = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(share / (1 - share))
