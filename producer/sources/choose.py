"""Which source reads which URL."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.entities import Camera
from pipeline.errors import CameraNotFound, UnsupportedSource
from producer.sources.base import Source
from producer.sources.demo import DemoSource
from producer.sources.files import PICTURE_SUFFIXES, PictureFiles, open_video_file
from producer.sources.stream import STREAM_SCHEMES, open_stream
from producer.sources.webcam import WebcamSource

_SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://")
_WEBCAM = re.compile(r"^(?:webcam|\d{1,3}|/dev/video\d+)$")
_UNDERSTOOD = "rtsp://, rtsps://, http://, https://, a video file, a folder of pictures, a webcam (0) or demo"


class Kind(Enum):
    """The kinds of sources; `ends` says whether reading comes to an end by itself."""

    STREAM = "stream"
    WEBCAM = "webcam"
    DEMO = "demo"
    VIDEO_FILE = "video file"
    PICTURES = "pictures"

    @property
    def ends(self) -> bool:
        """Whether the source is a file or files, which are read once and never reconnected."""
        return self in (Kind.VIDEO_FILE, Kind.PICTURES)


def open_source(camera: Camera, *, demo_folder: Path | None = None) -> Source:
    """Open what the camera's URL names and return it ready to be read.

    `demo_folder` holds the portraits of the source ``demo``. Raises CameraError with one sentence: what is wrong and what
    to do.
    """
    kind = kind_of(camera.url)
    if kind is Kind.STREAM:
        return open_stream(camera.url)
    if kind is Kind.WEBCAM:
        return WebcamSource(camera.url)
    if kind is Kind.DEMO:
        return DemoSource(demo_folder)
    if kind is Kind.VIDEO_FILE:
        return open_video_file(path_of(camera.url))
    return PictureFiles(path_of(camera.url), fps=camera.fps)


def kind_of(url: str) -> Kind:
    """Say what kind of source a URL names; raises UnsupportedSource or, for a path that does not exist, CameraNotFound."""
    if url == "demo":
        return Kind.DEMO
    if _WEBCAM.match(url):
        return Kind.WEBCAM
    scheme = urlsplit(url).scheme.lower() if _SCHEME.match(url) else "file"
    if scheme in STREAM_SCHEMES:
        return _stream(url)
    if scheme != "file":
        raise UnsupportedSource(f"{url} starts with {scheme}://, which is none of {_UNDERSTOOD}")
    return _kind_of_path(path_of(url))


def path_of(url: str) -> Path:
    """Return the path that a file:// URL or a plain path names."""
    return Path(unquote(urlsplit(url).path) if _SCHEME.match(url) else url).expanduser()


def _stream(url: str) -> Kind:
    if not urlsplit(url).hostname:
        raise UnsupportedSource(f"{url} names no host: write it like rtsp://10.0.0.7/path")
    return Kind.STREAM


def _kind_of_path(path: Path) -> Kind:
    if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES:
        return Kind.PICTURES
    if path.is_file():
        return Kind.VIDEO_FILE
    raise CameraNotFound(f"there is no file or folder {path}: a source is one of {_UNDERSTOOD}")
