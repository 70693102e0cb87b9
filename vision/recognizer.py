"""Vectors of faces whose place is known already, because somebody else found them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections
from vision.detector import Detector
from vision.embedding import Embedder
from vision.entities import Box, Rgb
from vision.mesh import MeshFinder


class Recognizer:
    """Makes vectors to compare faces by (`embedding.distance`); one serves any number of threads at once.

    Loading takes about a tenth of a second. OpenCV's own threads are switched off for the whole process, as in FaceEngine.
    """

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self._meshes = MeshFinder(Detector())
        self._embedder = Embedder()

    def vectors(self, rgb: Rgb, boxes: Sequence[Box], rolls: Sequence[float]) -> list[NDArray[np.float32] | None]:
        """Return a vector for each box (fractions of the picture), None where the face's points are not found surely.

        `rolls` are the degrees by which each face is turned clockwise, as far as that is known.
        """
        height, width = rgb.shape[:2]
        places = np.array([[box.left, box.top, box.width, box.height] for box in boxes]).reshape(-1, 4)
        pixels = places * (width, height, width, height)
        found = Detections(pixels, np.ones(len(boxes)), np.zeros((len(boxes), 5, 2)), _quarters(rolls))
        meshes = self._meshes.find(rgb, found)
        vectors = iter(self._embedder.embed(rgb, [mesh for mesh in meshes if mesh is not None]))
        return [None if mesh is None else next(vectors) for mesh in meshes]


def _quarters(rolls: Sequence[float]) -> NDArray[np.float64]:
    """Return the turns at which a detector would have found them: upright ones at none."""
    return np.asarray(np.round(np.asarray(rolls, np.float64) / 45) * 45)
