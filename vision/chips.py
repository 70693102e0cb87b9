"""Aligned faces: turned and scaled so that eyes and nose lie where dlib's nets expect them."""

from dataclasses import dataclass

import numpy as np

from vision.entities import Rgb
from vision.geometry import Affine, crop
from vision.mesh import Mesh


@dataclass(frozen=True, slots=True)
class Chip:
    """An aligned crop of pixels x pixels: the mean face's square with `padding` of its side around it."""

    pixels: int
    padding: float

    def cut(self, rgb: Rgb, meshes: list[Mesh]) -> Rgb:
        """Return each mesh's face as one batch; outside of the picture its edge is repeated."""
        return crop(rgb, [self._matrix(mesh) for mesh in meshes], self.pixels, repeat_edge=True)

    def _matrix(self, mesh: Mesh) -> Affine:
        return np.asarray((mesh.frame + [[0, 0, self.padding]] * 2) * (self.pixels / (1 + 2 * self.padding)))
