"""Faces that were found, before anything is read of them: boxes, scores and five points, as arrays."""

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Detections:
    """Faces found in a picture.

    Boxes n x 4 (left, top, width, height in pixels), scores n (0 to 1), points n x 5 x 2 in pixels (the middles of the
    eyes, the tip of the nose, the corners of the mouth; of a pair the one on the left of an upright face first), and
    turns n: by how many degrees clockwise a face was thought to be turned when it was recognised, give or take 45.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    points: NDArray[np.float64]
    turns: NDArray[np.float64]

    @classmethod
    def none(cls) -> "Detections":
        """Return no faces."""
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)), np.zeros(0))

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Detections":
        return Detections(self.boxes[chosen], self.scores[chosen], self.points[chosen], self.turns[chosen])

    def __add__(self, other: "Detections") -> "Detections":
        pairs = ((getattr(self, part.name), getattr(other, part.name)) for part in fields(self))
        return Detections(*(np.concatenate(pair) for pair in pairs))

    @property
    def centers(self) -> NDArray[np.float64]:
        """The middles of the boxes, n x 2."""
        return self.boxes[:, :2] + self.boxes[:, 2:] / 2

    @property
    def sides(self) -> NDArray[np.float64]:
        """The longer sides of the boxes."""
        return np.asarray(self.boxes[:, 2:].max(axis=1, initial=0))

    def moved(self, by: NDArray[np.float64]) -> "Detections":
        """Return them moved by (x, y) pixels."""
        return replace(self, boxes=self.boxes + np.pad(by, (0, 2)), points=self.points + by)

    def scaled(self, across: float, down: float) -> "Detections":
        """Return them as they lie in a copy of the picture so many times as wide and as high."""
        factors = np.array([across, down])
        return replace(self, boxes=self.boxes * np.tile(factors, 2), points=self.points * factors)

    def largest(self, count: int) -> "Detections":
        """Return at most `count` of them, the largest first."""
        return self[np.argsort(-self.boxes[:, 2] * self.boxes[:, 3], kind="stable")[:count]]

    def without_doubles(self, overlap: float) -> "Detections":
        """Return the surest first, without those that share more than `overlap` of their place with a surer one."""
        if not len(self):
            return self
        kept = cv2.dnn.NMSBoxes(self.boxes.tolist(), self.scores.tolist(), 0.0, overlap)
        return self[np.asarray(kept, np.intp).ravel()]

    def apart_from(self, others: "Detections") -> "Detections":
        """Return those whose middle lies in none of the others."""
        off = np.abs(self.centers[:, None] - others.centers) - others.boxes[:, 2:] / 2
        return self[(off.max(axis=2) >= 0).all(axis=1)]
