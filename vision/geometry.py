"""Crops and turns: 2 x 3 affine matrices from a picture's pixels to a crop's, and back."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.entities import Rgb

Points: TypeAlias = NDArray[np.float64]
"""n x 2 (or n x 3) positions in pixels."""

Affine: TypeAlias = NDArray[np.float64]

_COMPLEX = np.array([1, 1j])  # x + iy: one number turns and scales a plane


def upright_square(center: Points, side: float, roll: float, pixels: int) -> Affine:
    """Map a square of the picture (center, side, clockwise roll in degrees) onto an upright crop of pixels x pixels."""
    middle = float(center[0]), float(center[1])
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, roll, pixels / side), np.float64)
    matrix[:, 2] += np.subtract(pixels / 2, middle)
    return matrix


@dataclass(frozen=True)
class Squares:
    """Squares of a picture: middles n x 2, sides n in pixels, and by how many degrees clockwise each is turned, n."""

    centers: Points
    sides: NDArray[np.float64]
    turns: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.sides)

    def __getitem__(self, chosen: NDArray[np.intp]) -> "Squares":
        return Squares(self.centers[chosen], self.sides[chosen], self.turns[chosen])

    def cut(self, rgb: Rgb, pixels: int) -> Rgb:
        """Return them upright, as one batch of n x pixels x pixels x 3; outside the picture is black."""
        places = zip(self.centers, self.sides, self.turns, strict=True)
        return crop(rgb, [upright_square(center, side, turn, pixels) for center, side, turn in places], pixels)

    def back(self, points: Points, pixels: int) -> Points:
        """Take points n x k x 2 of the crops that `cut` returned to where they are in the picture."""
        unit = self.sides / pixels * np.exp(1j * np.radians(self.turns))
        moved = ((points - pixels / 2) @ _COMPLEX) * unit[:, None]
        return np.asarray(np.stack([moved.real, moved.imag], axis=-1) + self.centers[:, None])


def crop(rgb: Rgb, matrices: list[Affine], pixels: int, *, repeat_edge: bool = False) -> Rgb:
    """Return the crops as one batch: len(matrices) x pixels x pixels x 3; outside the picture is black, or its edge."""
    border = cv2.BORDER_REPLICATE if repeat_edge else cv2.BORDER_CONSTANT
    batch = np.empty((len(matrices), pixels, pixels, 3), np.uint8)
    for matrix, slot in zip(matrices, batch, strict=True):
        cv2.warpAffine(rgb, matrix, (pixels, pixels), dst=slot, flags=cv2.INTER_LINEAR, borderMode=border)
    return batch


def back(matrix: Affine, points: Points) -> Points:
    """Take n x 2 positions in a crop back to the picture it was cut from by `matrix`."""
    inverse = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
    return np.asarray(points @ inverse[:, :2].T + inverse[:, 2])


def angle(start: Points, end: Points) -> float:
    """Return the direction from start to end in degrees, clockwise from the picture's right."""
    return math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))


def turn_between(first: float, second: float) -> float:
    """Return the angle between two directions in degrees, 0 to 180."""
    return abs((second - first + 180) % 360 - 180)


def aligning(points: Points, onto: Points) -> Affine:
    """Return the similarity (turn, one scale, shift) that lays n x 2 points onto others with least squares.

    The closed form in two dimensions of Umeyama, "Least-squares estimation of transformation parameters", 1991.
    """
    source, target = points @ _COMPLEX, onto @ _COMPLEX
    center, home = source.mean(), target.mean()
    apart = source - center
    turn = np.vdot(apart, target) / max(np.vdot(apart, apart).real, 1e-9)
    shift = home - turn * center
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
