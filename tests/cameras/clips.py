"""Videos made when they are needed: the demo's portraits moving about, a counter stamped into every frame.

The counter is drawn as a row of black and white squares at the top left, large enough to survive any coding, so a test can
tell which frame it sees, and from the server's schedule how old that frame is.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.bitstream import BitStreamFilterContext

from producer.sources.base import Image
from producer.sources.demo import Scene, load_portraits

FPS = 25
GROUP = 10  # frames from one key frame to the next: viewers need not wait long for their first picture
BITS = 20
SQUARE = 16  # pixels


@dataclass(frozen=True, slots=True)
class Size:
    """A picture's size in pixels, and the bit rate a camera would give it."""

    width: int
    height: int
    bits_per_second: int


SIZES = {
    "360": Size(640, 360, 800_000),
    "720": Size(1280, 720, 2_500_000),
    "1080": Size(1920, 1080, 5_000_000),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One coded picture (Annex B) as it goes over the wire; `shown` is the number of the frame it holds."""

    data: bytes
    is_key: bool
    shown: int


class Clips:
    """A folder of videos by name (360, 720, 1080; 360b has B-frames), each made when it is first asked for."""

    def __init__(self, folder: Path, portraits: Path, seconds: float = 10.0) -> None:
        self.folder = folder
        self.seconds = seconds
        self._portraits = portraits

    def video(self, name: str) -> Path:
        """Return the MP4 file of a clip, making it first where it is missing."""
        path = self.folder / f"{name}-{self.seconds:g}s.mp4"
        if not path.exists():
            make_video(path, SIZES[name.removesuffix("b")], self.seconds, self._portraits, b_frames=name.endswith("b"))
        return path


def stamp(image: Image, number: int) -> None:
    """Draw `number` into the picture, after one white and one black square that prove there is a stamp."""
    for place, bit in enumerate((1, 0, *((number >> i) & 1 for i in range(BITS)))):
        image[0:SQUARE, place * SQUARE : (place + 1) * SQUARE] = 255 * bit


def read_stamp(image: Image) -> int | None:
    """Return the number stamped into a picture of the same size, None when there is none."""
    middle = SQUARE // 2
    bits = [image[middle, middle + place * SQUARE].mean() > 127 for place in range(BITS + 2)]
    return sum(bool(bit) << i for i, bit in enumerate(bits[2:])) if bits[:2] == [True, False] else None


def make_video(path: Path, size: Size, seconds: float, portraits: Path, *, b_frames: bool = False) -> None:
    """Write an H.264 video of the portraits, a key frame each 0.4 s; it appears under its name when it is whole."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".mp4", delete=False) as unfinished:
        pass
    with av.open(unfinished.name, "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options=_coding(b_frames=b_frames))
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, "yuv420p"
        stream.bit_rate = size.bits_per_second
        stream.codec_context.time_base = Fraction(1, FPS)
        for image in _film(size, round(seconds * FPS), portraits):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    Path(unfinished.name).rename(path)


@functools.cache
def units_of(path: Path) -> tuple[Unit, ...]:
    """Return the coded pictures of a video in the order in which they are sent."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tick = stream.time_base or Fraction(1, FPS)
        to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        return tuple(
            Unit(bytes(packet), bool(packet.is_keyframe), round(float((packet.pts or 0) * tick) * FPS))
            for read in container.demux(stream)
            for packet in to_annex_b.filter(read if read.size else None)
        )


def write_segments(video: Path, folder: Path) -> list[Path]:
    """Cut a video into MPEG-TS files of two seconds each, as HLS wants them, and return them in order."""
    options = {"hls_time": "2", "hls_list_size": "0", "hls_segment_filename": str(folder / "all%03d.ts")}
    with av.open(str(video)) as read, av.open(str(folder / "all.m3u8"), "w", format="hls", options=options) as written:
        source = read.streams.video[0]
        target = written.add_stream_from_template(source)
        for packet in read.demux(source):
            if packet.dts is not None:
                packet.stream = target
                written.mux(packet)
    return sorted(folder.glob("all*.ts"))


def _coding(*, b_frames: bool) -> dict[str, str]:
    x264 = f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:repeat-headers=1:sliced-threads=0:threads=1"
    if b_frames:
        return {"preset": "veryfast", "x264-params": f"{x264}:bframes=2"}
    return {"preset": "superfast", "tune": "zerolatency", "x264-params": f"{x264}:bframes=0"}


def _film(size: Size, frames: int, portraits: Path) -> Iterator[Image]:
    scene = Scene(load_portraits(portraits), size.width, size.height)
    for number in range(frames):
        image = scene.draw(4 + number / FPS)
        cv2.putText(image, f"frame {number}", (20, size.height - 20), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2)
        stamp(image, number)
        yield np.ascontiguousarray(image)
