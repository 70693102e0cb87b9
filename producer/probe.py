"""What is at a URL, or what is wrong with it, in one sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from pipeline.entities import Camera, Polygon
from pipeline.errors import CameraNotVideo, PictureError, redact
from producer.encoder import SHORTEST_SIDE, fit
from producer.masks import Masks
from producer.sampler import Sampler
from producer.sources import Image, Kind, Picture, Source, kind_of, open_source

FACE_PIXELS = 40  # https://docs.aws.amazon.com/rekognition/latest/dg/recommendations-facial-input-images.html
MAIN_STREAM_WIDTH = 1280
LOOKS_PER_SECOND = 2.0

_CODECS = {"h264": "H.264", "hevc": "H.265", "mjpeg": "MJPEG", "av1": "AV1", "vp8": "VP8", "vp9": "VP9", "mpeg4": "MPEG-4"}

FindFaces = Callable[[Image], Sequence[int]]
"""Returns the heights in pixels of the faces in a picture given as RGB."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A source that can be read.

    `first_frame_seconds` is from the first attempt to the first picture; `fps` what was measured; `face_heights` are pixels
    in the pictures as they would be analysed. `sentence` says all that, without a password.
    """

    sentence: str
    codec: str
    width: int
    height: int
    fps: float
    first_frame_seconds: float
    face_heights: tuple[int, ...] = ()


@dataclass(slots=True)
class _Look:
    """What was seen so far."""

    codec: str = ""
    width: int = 0
    height: int = 0
    began: float = field(default_factory=time.monotonic)
    first_frame: float = 0.0
    moments: list[float] = field(default_factory=list)  # seconds on the source's axis, or ours
    faces: list[int] = field(default_factory=list)


def check(
    url: str,
    *,
    seconds: float = 3.0,
    faces: FindFaces | None = None,
    demo_folder: Path | None = None,
    masks: Sequence[Polygon] = (),
) -> Checked:
    """Open a source, watch it for `seconds`, and say what it is.

    `faces` finds the heights of faces, none below `masks`; without it nothing is said of them. Raises the CameraError that
    tells what is wrong and what to do.
    """
    kind = kind_of(url)
    look = _Look()
    with closing(open_source(Camera("check", url, fps=LOOKS_PER_SECOND), demo_folder=demo_folder)) as source:
        look.codec = source.codec
        _watch(source, look, seconds, faces, Masks(masks))
    if not look.moments:
        raise CameraNotVideo(f"{url} can be opened, but there is no picture in it")
    return _checked(url, kind, look, has_looked=faces is not None)


def _watch(source: Source, look: _Look, seconds: float, faces: FindFaces | None, masks: Masks) -> None:
    sampler = Sampler(LOOKS_PER_SECOND)
    while (moment := source.advance()) is not None:
        now = time.monotonic()
        look.first_frame = look.first_frame or now - look.began
        look.width, look.height = moment.width or look.width, moment.height or look.height
        at = now if moment.position is None or not source.paced else moment.position
        look.moments.append(at)
        if faces is not None and sampler.due(at):
            look.faces += _find(masks.over(source.picture()), faces)
        if at - look.moments[0] >= seconds or now - look.began > look.first_frame + 2 * seconds:
            return


def _find(picture: Picture, faces: FindFaces) -> Sequence[int]:
    try:
        return faces(fit(picture.bgr())[:, :, ::-1])
    except PictureError:
        return ()


def _checked(url: str, kind: Kind, look: _Look, *, has_looked: bool) -> Checked:
    span = look.moments[-1] - look.moments[0]
    fps = (len(look.moments) - 1) / span if span > 0 else 0.0
    parts = [_description(url, kind, look, fps)]
    if min(look.width, look.height) < SHORTEST_SIDE:
        parts.append(f"too small: Rekognition needs {SHORTEST_SIDE} px on each side")
    elif has_looked:
        parts.append(_verdict(look))
    return Checked(
        sentence="; ".join(parts),
        codec=look.codec,
        width=look.width,
        height=look.height,
        fps=round(fps, 2),
        first_frame_seconds=round(look.first_frame, 3),
        face_heights=tuple(look.faces),
    )


def _description(url: str, kind: Kind, look: _Look, fps: float) -> str:
    what = f"{redact(url)}: {_CODECS.get(look.codec, look.codec)}, {look.width} x {look.height}"
    if kind is Kind.PICTURES:
        return f"{what} px, {len(look.moments)} pictures or more" if len(look.moments) > 1 else f"{what} px"
    return f"{what} at {fps:.3g} frames a second, the first after {look.first_frame:.1f} s"


def _verdict(look: _Look) -> str:
    """Say whether the faces are large enough to be found, and what to do if not."""
    if not look.faces:
        return "no face was seen in it"
    height = round(median(look.faces))
    if height >= FACE_PIXELS:
        return f"faces are about {height} px high, which is enough (Rekognition needs {FACE_PIXELS})"
    advice = "come closer or use the main stream" if look.width < MAIN_STREAM_WIDTH else "come closer or zoom in"
    return f"faces are about {height} px high, Rekognition needs {FACE_PIXELS}: {advice}"
