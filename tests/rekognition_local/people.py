"""Two people, each in several pictures made of one portrait: lighter, mirrored, smaller, among others."""

from functools import cache

import cv2
import numpy as np

from tests.vision.scenes import ASTRONAUT, HOPPER, background, jpeg, place, portrait

HOPPER_NAME, ASTRONAUT_NAME = "Grace_Hopper", "Eileen_Collins"
NOBODY = "00000000-0000-4000-8000-000000000000"
"""A FaceId that no face has."""


@cache
def picture(name: str, change: str = "") -> bytes:
    """A portrait as it is, or changed so that its bytes and its vector differ."""
    rgb = portrait(name)
    changed = {
        "": rgb,
        "light": np.clip(rgb * 1.2, 0, 255).astype(np.uint8),
        "dark": (rgb * 0.7).astype(np.uint8),
        "mirrored": rgb[:, ::-1],
        "small": cv2.resize(rgb, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
        "soft": cv2.GaussianBlur(rgb, (0, 0), 1.5),
    }[change]
    return jpeg(np.ascontiguousarray(changed))


@cache
def both(larger: str) -> bytes:
    """A picture of both, one of them larger."""
    scene = background(1280, 720)
    for name, x in ((HOPPER, 300), (ASTRONAUT, 980)):
        place(scene, name, (x, 360), 240 if name == larger else 120, closeup=True)
    return jpeg(scene)


@cache
def crowd(count: int, height: float = 60) -> bytes:
    """A picture of `count` faces, the two people in turns."""
    columns = 12
    scene = background(1280, max(720, 100 * (1 + count // columns)))
    for index in range(count):
        at = 60 + 105 * (index % columns), 60 + 95 * (index // columns)
        place(scene, (HOPPER, ASTRONAUT)[index % 2], at, height, closeup=True)
    return jpeg(scene)


@cache
def empty() -> bytes:
    """A picture of nobody."""
    return jpeg(background(640, 480))
