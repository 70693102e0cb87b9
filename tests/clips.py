"""Clips whose truth is known: the demo's two people before a camera, where each face is in each frame, and whose it is.

    clip = CLIPS["crossing"]
    for shot in clip.film(HD, fps=5):    # Shot(at, rgb, faces): a picture and the faces in it
    write_video(path, clip, FULL_HD)     # the same as an H.264 file of 25 frames a second

Every picture is the same each time it is drawn: sensor noise comes from a fixed seed. A face is a portrait's head, cut out
softly, moved, scaled and turned (yaw as a tilted plane, which shortens it as a turned head is shortened).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.vision.scenes import ASTRONAUT, FACES, HOPPER, portrait
from vision.entities import Box, Rgb

FPS = 25
HD, FULL_HD = (1280, 720), (1920, 1080)

_NOISE = 2.0  # standard deviation of the sensor's noise, of 255
_NOISES = 5  # different pictures of noise, taken in turns
_HEAD = 0.92, 0.86  # half axes of the oval that is cut out, over the face's width and height
_DEPTH = 3.0  # how far the camera is from a turned head, over the face's height
_LEVELS = 5  # halvings of a portrait that are kept: a warp does not average


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a face is at one moment: its middle as fractions of width and height, its height as one of the picture's."""

    x: float
    y: float
    height: float
    yaw: float = 0.0
    roll: float = 0.0


Place: TypeAlias = tuple[float, float]
Walk: TypeAlias = Callable[[float], Stand]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a clip: `walk` says where the face is after so many seconds, None while it is away."""

    who: str
    walk: Callable[[float], Stand | None]
    is_poster: bool = False


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face of a frame: whose, where (fractions), and which share of it is hidden by somebody nearer or by the edge."""

    who: str
    box: Box
    hidden: float
    is_poster: bool = False


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame: seconds since the clip's beginning, the picture, and every face in it, hidden ones included."""

    at: float
    rgb: Rgb
    faces: tuple[SeenFace, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """Some seconds before a camera; `light` is what is left of the light at a time, 1 for all of it."""

    name: str
    seconds: float
    people: tuple[Person, ...]
    light: Callable[[float], float] = lambda _: 1.0

    def film(self, size: tuple[int, int] = HD, fps: float = FPS) -> Iterator[Shot]:
        """Yield its frames at so many a second, `size` is width and height in pixels."""
        for number in range(round(self.seconds * fps)):
            yield self.shot(number / fps, size)

    def shot(self, at: float, size: tuple[int, int] = HD) -> Shot:
        """Return the frame after so many seconds."""
        width, height = size
        canvas = _room(width, height).copy()
        for person, stand in self._by_distance(at):
            _draw(canvas, person, stand)
        light = self.light(at)
        if light != 1:
            canvas = cv2.convertScaleAbs(canvas, alpha=light)
        noise = _noise(width, height, round(at * FPS) % _NOISES)
        return Shot(at, np.asarray(cv2.add(canvas, noise), np.uint8), self.faces(at, size))

    def faces(self, at: float, size: tuple[int, int] = HD) -> tuple[SeenFace, ...]:
        """Return the faces of a frame without drawing it, the farthest first."""
        seen = [(person, _outline(person.who, stand, size)) for person, stand in self._by_distance(at)]
        found = []
        for index, (person, corners) in enumerate(seen):
            left, top = corners.min(axis=0).tolist()
            right, bottom = corners.max(axis=0).tolist()
            nearer = [other for _, other in seen[index + 1 :]]
            hidden = _hidden((left, top, right, bottom), nearer, size)
            box = Box(left / size[0], top / size[1], (right - left) / size[0], (bottom - top) / size[1])
            found.append(SeenFace(person.who, box, hidden, person.is_poster))
        return tuple(found)

    def _by_distance(self, at: float) -> list[tuple[Person, Stand]]:
        there = [(person, stand) for person in self.people if (stand := person.walk(at)) is not None]
        return sorted(there, key=lambda pair: (not pair[0].is_poster, pair[1].height))


def write_video(path: Path, clip: Clip, size: tuple[int, int] = HD, bits_per_second: int = 4_000_000) -> Path:
    """Write a clip as an H.264 video of 25 frames a second, and return its path."""
    with av.open(str(path), "w", format="mp4") as container:
        options = {"preset": "superfast", "x264-params": "keyint=25:scenecut=0:bframes=0:threads=1:sliced-threads=0"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.bit_rate = bits_per_second
        stream.codec_context.time_base = Fraction(1, FPS)
        for shot in clip.film(size):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shot.rgb, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def _line(
    start: tuple[float, float], end: tuple[float, float], height: float, since: float, until: float
) -> Callable[..., Stand]:
    """Walk from one place to another between two times, and stand still before and after."""

    def walk(at: float) -> Stand:
        share = min(1.0, max(0.0, (at - since) / (until - since)))
        step = 0.008 * math.sin(2 * math.pi * 1.8 * at) if 0 < share < 1 else 0.0  # people bob when they walk
        return Stand(start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share + step, height)

    return walk


def _away_and_back(at: float) -> Stand | None:
    """Stand, leave by the right edge at 4 s, be away until 8 s, come back."""
    if at < 4:
        return _line((0.5, 0.45), (1.15, 0.45), 0.3, 2.0, 3.8)(at) if at < 3.9 else None
    return None if at < 8 else _line((1.15, 0.45), (0.5, 0.45), 0.3, 8.0, 9.8)(at)


def _meet_and_part(side: float) -> Walk:
    """Walk to the middle, nearly touch, and go back: who expects people to go on mistakes one for the other."""

    def walk(at: float) -> Stand:
        near = math.exp(-(((at - 4) / 1.6) ** 2))
        return Stand(0.5 + side * (0.36 - 0.3 * near), 0.45, 0.3)

    return walk


def _turning(at: float) -> Stand:
    return Stand(0.5, 0.45, 0.35, yaw=50 * math.sin(2 * math.pi * at / 5), roll=12 * math.sin(2 * math.pi * at / 7))


def _approach(at: float) -> Stand:
    """Come nearer: from 45 pixels of 720 to 250."""
    share = min(1.0, at / 6)
    return Stand(0.35 + 0.12 * math.sin(at / 2), 0.42, 0.06 + 0.29 * share**2)


def _up_close(at: float) -> Stand | None:
    """Come up to the camera within a second, as the portraits of the demo do, stay, and go as quickly."""
    near = min(1.0, at - 0.5, 5.5 - at)
    return Stand(0.4 + 0.05 * math.sin(at), 0.5, 0.35 * near) if near > 0 else None


def _only(since: float, until: float, walk: Callable[[float], Stand | None]) -> Callable[[float], Stand | None]:
    return lambda at: walk(at) if since <= at < until else None


def _still(x: float, y: float, height: float) -> Walk:
    return lambda _: Stand(x, y, height)


def _sway(x: float, y: float, height: float, seconds: float) -> Walk:
    return lambda at: Stand(x + 0.06 * math.sin(2 * math.pi * at / seconds), y, height * (1 + 0.1 * math.sin(at)))


_ACROSS = _line((-0.12, 0.5), (1.12, 0.5), 0.34, 0.5, 6.5)
_FARTHER = _line((1.1, 0.42), (-0.1, 0.42), 0.24, 0.5, 6.5)

CLIPS: Mapping[str, Clip] = {
    clip.name: clip
    for clip in (
        Clip("empty", 6, ()),
        Clip("two", 10, (Person(HOPPER, _sway(0.28, 0.45, 0.32, 7)), Person(ASTRONAUT, _sway(0.72, 0.5, 0.3, 5)))),
        Clip("crossing", 7, (Person(HOPPER, _ACROSS), Person(ASTRONAUT, _FARTHER))),
        Clip("meeting", 8, (Person(HOPPER, _meet_and_part(-1)), Person(ASTRONAUT, _meet_and_part(1)))),
        Clip("leaving", 8, (Person(HOPPER, _away_and_back), Person(ASTRONAUT, _only(1, 6, _sway(0.2, 0.5, 0.28, 6))))),
        Clip("returning", 12, (Person(HOPPER, _away_and_back),)),
        Clip("turning", 10, (Person(HOPPER, _turning),)),
        Clip("dark", 8, (Person(ASTRONAUT, _sway(0.4, 0.5, 0.3, 6)),), light=lambda at: 0.16 + 0.06 * math.sin(at)),
        Clip("far", 8, (Person(HOPPER, _line((0.2, 0.4), (0.8, 0.45), 0.04, 1, 7)),)),
        Clip("up_close", 6, (Person(HOPPER, _up_close), Person(ASTRONAUT, _sway(0.8, 0.5, 0.3, 5)))),
        Clip("approaching", 8, (Person(ASTRONAUT, _approach),)),
        Clip(
            "poster",
            10,
            (Person(HOPPER, _still(0.75, 0.35, 0.2), is_poster=True), Person(ASTRONAUT, _only(3, 7, _sway(0.3, 0.5, 0.32, 5)))),
        ),
    )
}


@cache
def _room(width: int, height: int) -> Rgb:
    """A wall with a door, a window and a floor: structure that stays where it is."""
    across, down = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
    light = 0.6 + 0.25 * np.exp(-((across - 0.5) ** 2 + (down - 0.35) ** 2) / 0.2)
    grain = np.random.default_rng(11).normal(0, 0.02, (height // 2, width // 2)).astype(np.float32)
    light += cv2.resize(grain, (width, height))
    for left, top, right, bottom, tone in ((0.04, 0.15, 0.16, 0.85, 0.6), (0.85, 0.1, 0.97, 0.5, 1.35), (0, 0.85, 1, 1, 0.75)):
        light[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] *= tone
    picture = np.clip(np.stack([light * shade for shade in (128, 120, 108)], axis=-1), 0, 255).astype(np.uint8)
    picture.flags.writeable = False
    return picture


@cache
def _noise(width: int, height: int, number: int) -> Rgb:
    """What a sensor adds to what it sees: never less than nothing, so that black is a little grey."""
    normal = np.random.default_rng(100 + number).normal(3 * _NOISE, _NOISE, (height, width, 1))
    return np.repeat(np.clip(np.round(normal), 0, 255).astype(np.uint8), 3, axis=2)


@cache
def _cutout(who: str, level: int) -> tuple[Rgb, NDArray[np.float32]]:
    """A portrait halved `level` times, and how much of each pixel belongs to the head."""
    picture = np.asarray(portrait(who))
    left, top, width, height = FACES[who]
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    apart = np.hypot((columns - left - width / 2) / (width * _HEAD[0]), (rows - top - height * 0.47) / (height * _HEAD[1]))
    weight = np.clip((1 - apart) / 0.08, 0, 1).astype(np.float32)
    for _ in range(level):
        size = picture.shape[1] // 2, picture.shape[0] // 2
        picture, weight = (cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (picture, weight))
    return np.asarray(picture, np.uint8), np.asarray(weight, np.float32)


def _placing(who: str, stand: Stand, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the homography that takes a portrait's pixels to the picture's."""
    left, top, width, height = FACES[who]
    scale = stand.height * size[1] / height
    yaw, roll, away = math.radians(stand.yaw), math.radians(stand.roll), _DEPTH * height
    to_middle = np.array([[1, 0, -left - width / 2], [0, 1, -top - height / 2], [0, 0, 1]])
    tilted = np.array([[math.cos(yaw), 0, 0], [0, 1, 0], [math.sin(yaw) / away, 0, 1]])
    turned = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    home = np.array([[scale, 0, stand.x * size[0]], [0, scale, stand.y * size[1]], [0, 0, 1]])
    return np.asarray(home @ turned @ tilted @ to_middle)


def _outline(who: str, stand: Stand, size: tuple[int, int]) -> NDArray[np.float64]:
    left, top, width, height = FACES[who]
    corners = np.array([[[left, top], [left + width, top], [left + width, top + height], [left, top + height]]], np.float64)
    return np.asarray(cv2.perspectiveTransform(corners, _placing(who, stand, size))[0])


def _draw(canvas: Rgb, person: Person, stand: Stand) -> None:
    rows, columns = canvas.shape[:2]
    level = max(0, min(_LEVELS, int(math.log2(max(1.0, FACES[person.who][3] / (stand.height * rows))))))
    picture, weight = _cutout(person.who, level)
    matrix = _placing(person.who, stand, (columns, rows)) @ np.diag([2.0**level, 2.0**level, 1])
    left, top, width, height = FACES[person.who]
    x, y = (left - 0.45 * width, left + 1.45 * width), (top - 0.42 * height, top + 1.36 * height)
    around = np.array([[[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]]])
    edges = cv2.perspectiveTransform(around / 2**level, matrix)[0]
    x0, y0 = (max(0, int(value)) for value in edges.min(axis=0))
    x1, y1 = min(columns, int(edges[:, 0].max()) + 1), min(rows, int(edges[:, 1].max()) + 1)
    if x1 <= x0 or y1 <= y0:
        return
    here = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]]) @ matrix
    region, size = canvas[y0:y1, x0:x1], (x1 - x0, y1 - y0)
    warp, mapping = (cv2.warpPerspective, here) if stand.yaw else (cv2.warpAffine, here[:2])
    head, share = (warp(part, mapping, size, flags=cv2.INTER_LINEAR) for part in (picture, weight))
    region[:] = cv2.blendLinear(head, np.ascontiguousarray(region), share, 1 - share)


def _hidden(box: tuple[float, float, float, float], nearer: list[NDArray[np.float64]], size: tuple[int, int]) -> float:
    """Return the share of a face's box that is outside the picture or behind the box of a nearer face."""
    grid = np.stack(np.meshgrid(np.linspace(box[0], box[2], 20), np.linspace(box[1], box[3], 20)), axis=-1)
    covered = (grid < 0).any(axis=-1) | (grid >= size).any(axis=-1)
    for corners in nearer:
        covered |= ((grid >= corners.min(axis=0)) & (grid <= corners.max(axis=0))).all(axis=-1)
    return float(covered.mean())
