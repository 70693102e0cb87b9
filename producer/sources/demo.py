"""A camera for people who have none at hand: two portraits that drift, grow, shrink, leave, and come back later."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CameraNotFound
from producer.sources.base import Grey, Image, Moment, Picture, grey_of
from producer.sources.files import read_picture

PORTRAITS = ("grace_hopper.jpg", "astronaut.png")
FPS = 25.0
WIDTH, HEIGHT = 1280, 720

_SMALL = 640  # the size in which people watch it, so that one smaller scene does for all
_ROUND = 48.0  # seconds after which the same coming and going begins again
_STAY = 36.0  # so that each is away for 12 s: longer than the gap that ends a visit (setting `visit_gap`)
_COMES = (36.0, 46.0)  # when in the round each portrait comes


class DemoSource:
    """The scene below, filmed in real time at 25 frames a second; drawn only where somebody looks.

    `folder` holds the portraits; raises CameraNotFound without them.
    """

    paced = False
    codec = "demo"
    patience = 4.0

    def __init__(self, folder: Path | None) -> None:
        self._scene = Scene(load_portraits(folder), WIDTH, HEIGHT)
        self._started = time.monotonic()
        self._frames = 0

    def advance(self) -> Moment | None:
        """Wait for the next frame's time."""
        self._frames = max(self._frames + 1, math.ceil((time.monotonic() - self._started) * FPS))
        time.sleep(max(0.0, self._started + self._frames / FPS - time.monotonic()))
        return Moment(WIDTH, HEIGHT, self._frames / FPS)

    def picture(self) -> Picture:
        """Return the scene as it is at this frame."""
        return _View(self._scene, self._frames / FPS)

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class _View:
    scene: Scene
    seconds: float

    def bgr(self, longest: int | None = None) -> Image:
        return (self.scene if longest is None else self.scene.smaller(longest)).draw(self.seconds)

    def grey(self, longest: int) -> Grey:
        return grey_of(self.bgr(_SMALL), longest)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a portrait is: its centre and height as fractions of the picture's height; `x` of its width."""

    x: float
    y: float
    height: float


def place_of(portrait: int, seconds: float) -> Place | None:
    """Return where a portrait is at a time, None while it is away: of 48 s each is there for 36, both for 26, none for 2."""
    presence = _presence(portrait, seconds)
    if presence <= 0.0:
        return None
    turn = 2 * math.pi * seconds
    side = 0.27 if portrait == 0 else 0.73
    return Place(
        x=side + 0.12 * math.sin(turn / (11 + 3 * portrait) + portrait),
        y=0.5 + 0.07 * math.sin(turn / (7 + 2 * portrait)),
        height=presence * (0.72 + 0.26 * math.sin(turn / (17 - 4 * portrait) + 2 * portrait)),
    )


class Scene:
    """Draws the portraits at a moment of their dance, the same picture for the same moment."""

    def __init__(self, portraits: list[Image], width: int, height: int) -> None:
        self._size = width, height
        self._smaller: Scene | None = None
        self._background = _wall(width, height)
        self._portraits = portraits
        self._masks = [_soft_oval(portrait.shape[1], portrait.shape[0]) for portrait in portraits]

    def draw(self, seconds: float) -> Image:
        """Return a new picture of the scene `seconds` after its beginning."""
        canvas = self._background.copy()
        for number, (portrait, mask) in enumerate(zip(self._portraits, self._masks, strict=True)):
            place = place_of(number, seconds)
            if place is not None:
                _paste(canvas, portrait, mask, place)
        return canvas

    def smaller(self, longest: int) -> Scene:
        """Return the same scene in a smaller picture; the last one is kept."""
        scale = min(1.0, longest / max(self._size))
        size = round(self._size[0] * scale), round(self._size[1] * scale)
        if self._smaller is None or self._smaller._size != size:
            self._smaller = Scene(self._portraits, *size)
        return self._smaller


def load_portraits(folder: Path | None) -> list[Image]:
    """Return the demo's portraits; raises CameraNotFound when the folder does not have them."""
    pictures = [read_picture(folder / name) for name in PORTRAITS] if folder else []
    portraits = [picture for picture in pictures if picture is not None]
    if len(portraits) < len(PORTRAITS):
        raise CameraNotFound(f"the demo's portraits are not in {folder}: this installation is incomplete")
    return portraits


def _presence(portrait: int, seconds: float) -> float:
    """From 0 (away) to 1, with a second of coming and of going."""
    moment = (seconds - _COMES[portrait]) % _ROUND
    return min(1.0, max(0.0, min(moment, _STAY - moment)))


def _paste(canvas: Image, portrait: Image, mask: NDArray[np.float32], place: Place) -> None:
    rows, columns = canvas.shape[:2]
    height = max(2, round(place.height * rows))
    width = max(2, round(height * portrait.shape[1] / portrait.shape[0]))
    left, top = round(place.x * columns - width / 2), round(place.y * rows - height / 2)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(columns, left + width), min(rows, top + height)
    if x1 <= x0 or y1 <= y0:
        return
    inside = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    smaller = height * 2 <= portrait.shape[0]
    small = cv2.resize(portrait, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)[inside]
    weight = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)[inside]
    region = canvas[y0:y1, x0:x1]
    region[:] = cv2.blendLinear(np.ascontiguousarray(small), np.ascontiguousarray(region), weight.copy(), 1.0 - weight)


def _wall(width: int, height: int) -> Image:
    """Return a calm background with enough structure to look like a room."""
    across, down = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    light = 0.55 + 0.3 * np.exp(-((across - 0.5) ** 2 + (down - 0.35) ** 2) / 0.18)
    grain = np.random.default_rng(7).normal(0, 0.012, (height, width)).astype(np.float32)
    tone = np.stack([(light + grain) * shade for shade in (128, 118, 104)], axis=-1)
    return np.clip(tone, 0, 255).astype(np.uint8)


def _soft_oval(width: int, height: int) -> NDArray[np.float32]:
    """Return weights of 1 inside an oval that fades to 0 at the border."""
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    distance = np.hypot(across, down * 0.95)
    return np.clip((1.0 - distance) / 0.12, 0, 1).astype(np.float32)
