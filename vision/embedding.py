"""Who a face is like: dlib's ResNet v1 (Davis King, 2017), 128 numbers that lie near each other for one person."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vision.chips import Chip
from vision.entities import Rgb
from vision.mesh import Mesh
from vision.nets import Net

VECTOR_SIZE = 128

MODEL_VERSION = "1.0"
"""Vectors of another version cannot be compared: it changes with the net, and with how faces are aligned for it."""

_CHIP = Chip(150, 0.25)

_ALIKE, _SAME = (0.60, 80.0), (0.50, 99.0)  # (distance, percent): .60 is dlib's own line between same and different
_ODDS = [math.log(percent / (100 - percent)) for _, percent in (_ALIKE, _SAME)]
_STEEPNESS = (_ODDS[1] - _ODDS[0]) / (_ALIKE[0] - _SAME[0])
_MIDPOINT = _ALIKE[0] + _ODDS[0] / _STEEPNESS
_AT_ZERO = 1 + math.exp(-_STEEPNESS * _MIDPOINT)  # so that a face is like itself by 100 %


class Embedder:
    """Turns faces whose mesh is known into vectors; safe to call from several threads at once."""

    def __init__(self) -> None:
        self._net = Net("embedding")

    def embed(self, rgb: Rgb, meshes: list[Mesh]) -> NDArray[np.float32]:
        """Return a vector for each mesh: n x VECTOR_SIZE, not of unit length, compared by `distance`."""
        if not meshes:
            return np.zeros((0, VECTOR_SIZE), np.float32)
        return self._net(_CHIP.cut(rgb, meshes))[0]


def distance(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the Euclidean distance along the last axis of vectors, or arrays of them that broadcast."""
    apart = np.subtract(first, second, dtype=np.float64)
    return np.asarray(np.sqrt(np.einsum("...i,...i", apart, apart)))


def similarity(distance: ArrayLike) -> NDArray[np.float64]:
    """Return how alike faces so far apart are, in percent: 100 at distance 0, falling to 0, 80 at .60 and 99 at .50.

    The scale is ours, a logistic; what Amazon's numbers mean is not published. Of 5672 pairs of two people of one gender
    35 are nearer than .60 (80 %), and one is nearer than .50 (99 %); of 187 pairs of one person in two photos (171 of
    them one man, faces 75 pixels high) one is farther than .60, and 13 % are farther than .50. `make accuracy` measures
    it on other pictures. Distances are an array of any shape, or one number.
    """
    exponent = np.minimum(_STEEPNESS * (np.asarray(distance, np.float64) - _MIDPOINT), 500.0)
    return np.asarray(100 * _AT_ZERO / (1 + np.exp(exponent)))


def distance_at(similarity: float) -> float:
    """Return the distance at which faces are alike by so many percent: the inverse of `similarity`; infinite at 0."""
    if similarity <= 0:
        return math.inf
    return max(0.0, _MIDPOINT + math.log(max(100 * _AT_ZERO / similarity - 1, 1e-300)) / _STEEPNESS)
