"""Real faces put into real pictures in known places, as high, turned, lit, blurred and covered as one likes."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from accuracy.samples import Sample
from vision.entities import Rgb

Points: TypeAlias = NDArray[np.float64]

HD, FULL_HD = (1280, 720), (1920, 1080)
LEAST_HEIGHT = 100
"""Pixels: a cut-out is scaled down, or up by a fifth at most."""

_AROUND = (0.6, 0.6, 0.6, 0.8)  # of the box's height, left, above, right and below: hair, ears, shoulders
_FEATHER = 0.08  # of the box's height: a hard edge is a thing of its own for a detector
_LEAST_BACKGROUND = 300
_COVERS = (40, 44, 58)  # the colour of a dark scarf


@dataclass(frozen=True, eq=False)
class Cutout:
    """A head cut out of a sample: where its face and its eyes are, in the cut-out's own pixels."""

    sample: Sample
    rgb: Rgb
    box: tuple[float, float, float, float]
    eyes: Points  # 2 x 2, the picture's left one first

    @cached_property
    def mask(self) -> NDArray[np.float32]:
        """How much of the head is drawn at each pixel: all of it, and less and less at the edges."""
        height, width = self.rgb.shape[:2]
        inside = np.zeros((height + 2, width + 2), np.uint8)
        inside[1:-1, 1:-1] = 1
        distance = cv2.distanceTransform(inside, cv2.DIST_C, 3)[1:-1, 1:-1]
        return np.asarray(np.clip(distance / (_FEATHER * self.box[3]), 0, 1), np.float32)


def cut_out(sample: Sample, rgb: Rgb, box: tuple[float, ...], eyes: tuple[float, ...]) -> Cutout:
    """Cut the head with this face out of a picture; box and eyes are in its pixels."""
    left, top, width, height = box
    low = np.maximum(0, np.floor([left - _AROUND[0] * height, top - _AROUND[1] * height])).astype(int)
    high = np.ceil([left + width + _AROUND[2] * height, top + height + _AROUND[3] * height]).astype(int)
    patch = np.ascontiguousarray(rgb[low[1] : high[1], low[0] : high[0]])
    return Cutout(sample, patch, (left - low[0], top - low[1], width, height), np.reshape(eyes, (2, 2)) - low)


class Backgrounds:
    """Pictures without a face, cut to any frame; a soft pattern where a folder has none."""

    def __init__(self, samples: list[Sample]) -> None:
        loaded = (sample.load()[0] for sample in samples if sample.empty)
        self._pictures = [rgb for rgb in loaded if min(rgb.shape[:2]) >= _LEAST_BACKGROUND] or [_pattern()]
        self.frame = cache(self._frame)

    def __len__(self) -> int:
        return len(self._pictures)

    def _frame(self, index: int, size: tuple[int, int]) -> Rgb:
        """Return the middle of a picture, scaled so that it fills the frame; not to be written to."""
        rgb, (width, height) = self._pictures[index], size
        scale = max(width / rgb.shape[1], height / rgb.shape[0])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        full = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=how), np.uint8)
        full = np.asarray(cv2.copyMakeBorder(full, 0, 2, 0, 2, cv2.BORDER_REPLICATE), np.uint8)  # scaling rounds down
        left, top = (full.shape[1] - width) // 2, (full.shape[0] - height) // 2
        framed = np.ascontiguousarray(full[top : top + height, left : left + width])
        framed.flags.writeable = False
        return framed


def _pattern() -> Rgb:
    coarse = np.random.default_rng(7).integers(40, 200, (18, 30, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, FULL_HD, interpolation=cv2.INTER_CUBIC), np.uint8)


@dataclass(frozen=True, eq=False)
class Scene:
    """A cut-out put into a frame: its face so many pixels high, turned clockwise by `turn` degrees, then changed.

    Where it lies and what is behind it depends on the cut-out and on `take` only, so that rows of a table compare.
    """

    cutout: Cutout
    backgrounds: Backgrounds
    size: tuple[int, int] = HD
    height: float = 120.0
    turn: float = 0.0
    take: int = 0
    shift: tuple[float, float] = (0.0, 0.0)
    changes: tuple["Change", ...] = field(default=())

    def changed(self, *changes: "Change") -> "Scene":
        """Return the same scene, seen through these changes."""
        return replace(self, changes=changes)

    @cached_property
    def matrix(self) -> Points:
        """What takes the cut-out's pixels to the frame's."""
        left, top, width, height = self.cutout.box
        middle = left + width / 2, top + height / 2
        matrix = np.asarray(cv2.getRotationMatrix2D(middle, -self.turn, self.height / height), np.float64)
        matrix[:, 2] += np.subtract(self.middle, middle)
        return matrix

    @cached_property
    def middle(self) -> Points:
        """Where the middle of the face lies: anywhere, with all of the face in the frame."""
        chance = np.random.default_rng([zlib.crc32(self.cutout.sample.file.encode()), self.take])
        room = np.subtract(self.size, 2 * self.height)
        return np.asarray(self.height + chance.random(2) * np.maximum(0, room) + self.shift, np.float64)

    @property
    def eyes(self) -> Points:
        """Where the middles of the eyes lie, 2 x 2."""
        return self.place(self.cutout.eyes)

    def place(self, points: Points) -> Points:
        """Take n x 2 positions in the cut-out to the frame."""
        return np.asarray(points @ self.matrix[:, :2].T + self.matrix[:, 2])

    def draw(self) -> Rgb:
        """Return the frame: the same one each time."""
        index = (zlib.crc32(self.cutout.sample.file.encode()) + self.take) % len(self.backgrounds)
        rgb = self.backgrounds.frame(index, self.size).copy()
        self._draw_cutout(rgb)
        for change in self.changes:
            rgb = change(rgb, self)
        return rgb

    def _draw_cutout(self, rgb: Rgb) -> None:
        patch, mask = self.cutout.rgb, self.cutout.mask
        corners = self.place(np.array([[0, 0], [patch.shape[1], 0], [0, patch.shape[0]], patch.shape[1::-1]], float))
        low = np.maximum(0, np.floor(corners.min(axis=0))).astype(int)
        high = np.minimum(self.size, np.ceil(corners.max(axis=0))).astype(int)
        shrink = min(1.0, 2 * self.height / self.cutout.box[3])  # warps do not average: most of the way by area first
        if shrink < 1:
            patch = np.asarray(_shrunk(patch, shrink), np.uint8)
            mask = np.asarray(_shrunk(mask, shrink), np.float32)
        matrix = self.matrix @ np.diag([1 / shrink, 1 / shrink, 1])
        matrix[:, 2] -= low
        size = int(high[0] - low[0]), int(high[1] - low[1])
        share = cv2.warpAffine(mask, matrix, size)[:, :, None]
        head = cv2.warpAffine(patch, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        part = rgb[low[1] : high[1], low[0] : high[0]]
        part[:] = np.rint(part + (head.astype(np.float32) - part) * share)


def _shrunk(part: Rgb | NDArray[np.float32], scale: float) -> object:
    return cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


Change: TypeAlias = Callable[[Rgb, Scene], Rgb]
"""What happens to a frame after the face is in it."""


def lit(gain: float, gamma: float = 1.0) -> Change:
    """Multiply the frame's values, 0 to 1, by `gain` after raising them to `gamma`; what is too bright stays white."""
    values = np.clip(np.rint(255 * gain * (np.arange(256) / 255) ** gamma), 0, 255).astype(np.uint8)
    return lambda rgb, _scene: np.asarray(values[rgb], np.uint8)


def noisy(levels: float) -> Change:
    """Add a sensor's noise: normal, of so many levels of 255 in each colour of each pixel."""

    def change(rgb: Rgb, scene: Scene) -> Rgb:
        chance = np.random.default_rng(zlib.crc32(scene.cutout.sample.file.encode()))
        noise = chance.standard_normal(rgb.shape, np.float32) * np.float32(levels)
        return np.clip(np.rint(rgb + noise), 0, 255).astype(np.uint8)

    return change


def blurred(sigma: float) -> Change:
    """Blur the frame by a Gaussian whose sigma is this share of the face's height."""
    return lambda rgb, scene: np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma * scene.height), np.uint8)


def compressed(quality: int) -> Change:
    """Send the frame through a JPEG of this quality."""

    def change(rgb: Rgb, _scene: Scene) -> Rgb:
        data = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

    return change


def covered(left: float, top: float, right: float, bottom: float) -> Change:
    """Cover a part of the face, given in shares of its box, with one dark colour."""

    def change(rgb: Rgb, scene: Scene) -> Rgb:
        x, y, width, height = scene.cutout.box
        across, down = np.array([left, right, right, left]), np.array([top, top, bottom, bottom])
        outline = scene.place(np.stack([x + across * width, y + down * height], axis=1))
        return np.asarray(cv2.fillConvexPoly(rgb, np.rint(outline).astype(np.int32), _COVERS), np.uint8)

    return change
