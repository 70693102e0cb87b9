"""Webcams of this machine, through OpenCV."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import CameraNotFound, CameraUnauthorized, CameraUnreachable
from producer.sources.base import Image, Moment, Picture, Pixels, Unreadable


class WebcamSource:
    """A webcam named ``0``, ``webcam`` or ``/dev/video0``; a frame that nobody wants is grabbed but not decoded.

    Raises CameraNotFound, CameraUnauthorized or CameraUnreachable (in use by another program). `open_device` stands for
    OpenCV's VideoCapture.
    """

    paced = False
    codec = "webcam"
    patience = 4.0

    def __init__(self, name: str, open_device: Callable[[int], cv2.VideoCapture] | None = None) -> None:
        self._name = name
        number = device_number(name)
        if open_device is None:
            _look_for(number)
        self._device = (open_device or _open)(number)
        if not self._device.isOpened():
            raise CameraUnreachable(f"webcam {name} does not open: close the program that uses it, or name another one")
        self._size = self._now_size()

    def advance(self) -> Moment | None:
        """Wait for the next frame; raises CameraUnreachable when the webcam is gone."""
        if not self._device.grab():
            raise CameraUnreachable(f"webcam {self._name} sends no more pictures: is it still plugged in?")
        return Moment(*self._size, position=None)

    def picture(self) -> Picture:
        """Decode and return the frame that was grabbed last."""
        decoded, image = self._device.retrieve()
        if not decoded:
            return Unreadable(f"a frame of webcam {self._name} could not be decoded")
        pixels: Image = np.asarray(image, dtype=np.uint8)
        self._size = pixels.shape[1], pixels.shape[0]
        return Pixels(pixels)

    def close(self) -> None:
        """Let go of the device."""
        self._device.release()

    def _now_size(self) -> tuple[int, int]:
        return int(self._device.get(cv2.CAP_PROP_FRAME_WIDTH)), int(self._device.get(cv2.CAP_PROP_FRAME_HEIGHT))


def device_number(name: str) -> int:
    """Return the number of a webcam by any of its names."""
    return 0 if name == "webcam" else int(name.removeprefix("/dev/video"))


def _look_for(number: int) -> None:
    """Say why a webcam of this Linux machine cannot be opened, which OpenCV does not."""
    device = Path(f"/dev/video{number}")
    if not sys.platform.startswith("linux"):
        return
    if not device.exists():
        raise CameraNotFound(f"there is no webcam {device}: plug one in, or use `demo`")
    if not os.access(device, os.R_OK | os.W_OK):
        raise CameraUnauthorized(f"this user may not open {device}: add it to the group `video`")


def _open(number: int) -> cv2.VideoCapture:
    device = cv2.VideoCapture(number)
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return device
