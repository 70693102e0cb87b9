"""Pictures from disk: a folder of them, a single one, or a video file."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np

from pipeline.errors import CameraNotVideo, UnsupportedSource
from producer.sources.base import Image, Moment, Picture, Pixels, Unreadable
from producer.sources.stream import StreamSource, open_file

log = logging.getLogger(__name__)

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def open_video_file(path: Path) -> StreamSource:
    """Open a video file; raises CameraNotFound, CameraUnauthorized or CameraNotVideo."""
    return open_file(path)


class PictureFiles:
    """The pictures of a folder by name, or a single one, as a film of `fps` pictures a second.

    A file of a folder that is no picture is passed over as a picture whose pixels cannot be had, and named in the log.
    Raises UnsupportedSource for a folder without pictures, CameraNotVideo for a single file that is none.
    """

    paced = True
    codec = "pictures"
    patience = 60.0

    def __init__(self, path: Path, fps: float) -> None:
        self._files = _pictures_in(path) if path.is_dir() else [path]
        self._fps = fps
        self._next = 0
        self._now: Picture = Unreadable("no picture was read yet")
        if not self._files:
            raise UnsupportedSource(f"there is no picture in the folder {path}: it takes {_suffixes()}")
        if not path.is_dir():
            _must_be_picture(path)

    def advance(self) -> Moment | None:
        """Read the next picture; None after the last one."""
        if self._next == len(self._files):
            return None
        position = self._next / self._fps
        image = read_picture(self._files[self._next])
        self._now = Pixels(image) if image is not None else self._passed_over()
        self._next += 1
        height, width = (0, 0) if image is None else image.shape[:2]
        return Moment(width, height, position)

    def picture(self) -> Picture:
        """Return the picture read last."""
        return self._now

    def close(self) -> None:
        """Forget the files."""
        self._next = len(self._files)

    def _passed_over(self) -> Unreadable:
        reason = f"{self._files[self._next]} is no picture that can be decoded"
        log.warning("passed over: %s", reason)
        return Unreadable(reason)


def read_picture(path: Path) -> Image | None:
    """Return the pixels of a picture file the right way up; None when it is empty, truncated or no picture."""
    try:
        data = np.fromfile(path, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if image is None else np.asarray(image, dtype=np.uint8)


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())


def _must_be_picture(path: Path) -> None:
    if read_picture(path) is None:
        raise CameraNotVideo(f"{path} is no picture that can be decoded: it is empty, cut off, or something else")


def _suffixes() -> str:
    return ", ".join(sorted(PICTURE_SUFFIXES))
