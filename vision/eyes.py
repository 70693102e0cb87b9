"""Lids and pupils: MediaPipe Iris (Ablavatski et al., 2020), on a crop of each eye."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vision.entities import Landmark, Rgb
from vision.geometry import angle, back, crop, upright_square
from vision.mesh import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, Mesh
from vision.nets import Net

_PIXELS = 64
_MARGIN = 2.3  # the crop's side over the eye's width
_LEAST_SIDE = 4.0
_TURNED_AWAY_DEGREES = 25
_CORNERS = (0, 8)  # of the eye's contour, sixteen points: corners, lower lid 1-7, upper lid 9-15
_LOWER, _UPPER = slice(1, 8), slice(9, 16)
_CONTOUR = 16
_PUPIL = 0


@dataclass(frozen=True, slots=True)
class Eyes:
    """Both eyes of a face: openness (lids' distance over width, about .3 when open) and pupils (x, y in pixels)."""

    openness: tuple[float, float]
    pupils: NDArray[np.float64]

    def seen_openness(self, yaw: float) -> float:
        """Return the openness of the eyes that can be seen: of a face turned away, the near one's."""
        left, right = self.openness
        if yaw < -_TURNED_AWAY_DEGREES:
            return right
        return left if yaw > _TURNED_AWAY_DEGREES else (left + right) / 2

    def landmarks(self, width: int, height: int) -> tuple[Landmark, ...]:
        """Return the two pupils, as fractions of the picture."""
        names: tuple[Literal["leftPupil"], Literal["rightPupil"]] = ("leftPupil", "rightPupil")
        return tuple(
            Landmark(name, float(x / width), float(y / height)) for name, (x, y) in zip(names, self.pupils, strict=True)
        )


class EyeReader:
    """Reads the eyes of faces whose mesh is known; safe to call from several threads at once."""

    def __init__(self) -> None:
        self._net = Net("iris")

    def read(self, rgb: Rgb, meshes: list[Mesh]) -> list[Eyes]:
        """Return the eyes of each mesh."""
        if not meshes:
            return []
        matrices = [_eye_square(mesh, *eye) for mesh in meshes for eye in (LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS)]
        crops = crop(rgb, matrices, _PIXELS)
        crops[0::2] = crops[0::2, :, ::-1]  # the net knows one kind of eye: the other one is mirrored, here and back
        contours, irises = self._net(crops)
        openness = _openness(contours.reshape(len(crops), -1, 3)[:, :_CONTOUR, :2])
        pupils = irises.reshape(len(crops), -1, 3)[:, _PUPIL, :2].astype(np.float64)
        pupils[0::2, 0] = _PIXELS - 1 - pupils[0::2, 0]
        placed = np.concatenate([back(matrix, pupil[None]) for matrix, pupil in zip(matrices, pupils, strict=True)])
        return [Eyes((float(openness[at]), float(openness[at + 1])), placed[at : at + 2]) for at in range(0, len(crops), 2)]


def _eye_square(mesh: Mesh, outer: int, inner: int) -> NDArray[np.float64]:
    start, end = mesh.points[outer, :2], mesh.points[inner, :2]
    side = max(_LEAST_SIDE, _MARGIN * math.dist(start, end))
    return upright_square((start + end) / 2, side, angle(start, end), _PIXELS)


def _openness(contours: NDArray[np.float32]) -> NDArray[np.float32]:
    lids = np.linalg.norm(contours[:, _UPPER] - contours[:, _LOWER], axis=2).max(axis=1)
    width = np.linalg.norm(contours[:, _CORNERS[0]] - contours[:, _CORNERS[1]], axis=1)
    return np.asarray(lids / np.maximum(width, 1e-6), np.float32)
