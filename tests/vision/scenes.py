"""Pictures made of the demo's portraits in known places, so that a test knows where each face is."""

import struct
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np

from vision.entities import Box, Face, Rgb

HOPPER, ASTRONAUT = "grace_hopper.jpg", "astronaut.png"

# Where the faces are in the portraits: left, top, width, height in pixels, read off by eye.
FACES = {HOPPER: (185, 120, 165, 215), ASTRONAUT: (178, 62, 90, 114)}
# The middles of the eyes, the picture's left one first, and of the mouth.
EYES = {HOPPER: ((220, 191), (309, 187)), ASTRONAUT: ((203, 101), (246, 103))}
MOUTHS = {HOPPER: (268, 278), ASTRONAUT: (223, 146)}


@cache
def portrait_bytes(name: str) -> bytes:
    return files("rekstream").joinpath("demo", name).read_bytes()


@cache
def portrait(name: str) -> Rgb:
    rgb = cv2.imdecode(np.frombuffer(portrait_bytes(name), np.uint8), cv2.IMREAD_COLOR_RGB)
    rgb.flags.writeable = False
    return rgb


def background(width: int, height: int) -> Rgb:
    """A soft pattern with nothing in it that looks like a face."""
    coarse = np.random.default_rng(7).integers(40, 200, (height // 60 + 2, width // 60 + 2, 3)).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@dataclass(frozen=True)
class Placed:
    """A portrait put into a scene: `matrix` takes the portrait's pixels to the scene's."""

    name: str
    matrix: np.ndarray

    def at(self, point: tuple[float, float]) -> np.ndarray:
        return self.matrix @ (*point, 1.0)

    @property
    def middle(self) -> np.ndarray:
        left, top, width, height = FACES[self.name]
        return self.at((left + width / 2, top + height / 2))


def place(
    scene: Rgb, name: str, center: tuple[float, float], face_height: float, turn: float = 0.0, *, closeup: bool = False
) -> Placed:
    """Draw a portrait, or only the head in it: its face's middle at `center`, so high, turned clockwise by degrees."""
    left, top, width, height = FACES[name]
    middle = left + width / 2, top + height / 2
    matrix = cv2.getRotationMatrix2D(middle, -turn, face_height / height)
    matrix[:, 2] += np.subtract(center, middle)
    picture, mask = portrait(name), np.full(portrait(name).shape[:2], 255, np.uint8)
    if closeup:
        mask[:] = 0
        mask[max(0, top - height // 3) : top + height * 5 // 4, max(0, left - width // 2) : left + width * 3 // 2] = 255
    shrink = min(1.0, 2 * face_height / height)  # warps do not average: half the way by area first
    picture, mask = (cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) for part in (picture, mask))
    from_shrunk = matrix @ np.diag([1 / shrink, 1 / shrink, 1])
    size = scene.shape[1], scene.shape[0]
    covered = cv2.warpAffine(mask, from_shrunk, size) > 127
    scene[covered] = cv2.warpAffine(picture, from_shrunk, size)[covered]
    return Placed(name, matrix)


def middle_of(box: Box, scene: Rgb) -> np.ndarray:
    height, width = scene.shape[:2]
    return np.array([(box.left + box.width / 2) * width, (box.top + box.height / 2) * height])


def point_of(face: Face, name: str, scene: Rgb) -> np.ndarray:
    height, width = scene.shape[:2]
    (found,) = (point for point in face.landmarks if point.name == name)
    return np.array([found.x * width, found.y * height])


def jpeg(rgb: Rgb, quality: int = 90) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def png(rgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) if rgb.ndim == 3 else rgb)[1].tobytes()


def with_orientation(data: bytes, orientation: int) -> bytes:
    """Put an EXIF orientation (1 to 8) into a JPEG."""
    entry = struct.pack("<HHII", 0x0112, 3, 1, orientation)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + b"\0\0\0\0"
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
