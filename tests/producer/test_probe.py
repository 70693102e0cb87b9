"""What `check` says of sources, good and bad."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.errors import CameraError, CameraNotFound, CameraNotVideo, CameraUnreachable, UnsupportedSource
from producer.probe import check
from producer.sources.base import Image
from tests.cameras.clips import Clips
from tests.cameras.process import CameraProcess


def test_a_camera_is_described(rtsp: CameraProcess) -> None:
    """Codec, size, rate and delay, in figures and in a sentence without the password."""
    checked = check(rtsp.url("720", "admin:s3cr3t"), seconds=1.0)
    assert (checked.codec, checked.width, checked.height) == ("h264", 1280, 720)
    assert checked.fps == pytest.approx(25, abs=5)
    assert checked.first_frame_seconds < 5
    told = re.search(r"H\.264, 1280 x 720 at (\S+) frames a second", checked.sentence)
    assert told is not None
    assert float(told[1]) == pytest.approx(checked.fps, abs=0.06)
    assert "s3cr3t" not in checked.sentence
    assert "face" not in checked.sentence


@pytest.mark.parametrize(
    ("path", "heights", "says"),
    [
        ("360", [31], "faces are about 31 px high, Rekognition needs 40: come closer or use the main stream"),
        ("720", [31, 33], "faces are about 32 px high, Rekognition needs 40: come closer or zoom in"),
        ("720", [200], "faces are about 200 px high, which is enough"),
        ("720", [], "no face was seen in it"),
    ],
)
def test_faces_are_measured(rtsp: CameraProcess, path: str, heights: list[int], says: str) -> None:
    """The faces' size decides, and the advice fits the stream."""
    seen: list[Image] = []

    def faces(picture: Image) -> list[int]:
        seen.append(picture)
        return heights

    assert says in check(rtsp.url(path), seconds=0.6, faces=faces).sentence
    assert len(seen) == 2


def test_faces_are_shown_red_first(portraits: Path) -> None:
    """Whoever finds faces gets RGB."""
    colours = []

    def faces(picture: Image) -> list[int]:
        blue_or_red = picture[300:400, 200:300].reshape(-1, 3).mean(axis=0)
        colours.append(blue_or_red[0] > blue_or_red[2] + 50)
        return []

    check(str(portraits / "astronaut.png"), faces=faces)
    assert colours == [True]


def test_a_file_is_described_at_once(clips: Clips) -> None:
    """Its rate is that of the film, not of the disk."""
    checked = check(str(clips.video("360")))
    assert checked.fps == pytest.approx(25, abs=0.1)


def test_the_demo_is_described(portraits: Path) -> None:
    """It is a camera like any other."""
    assert "1280 x 720" in check("demo", seconds=0.3, demo_folder=portraits).sentence


@pytest.mark.parametrize(
    ("path", "kind"), [("nowhere", CameraNotFound), ("audio", CameraNotVideo)], ids=["no such path", "sound only"]
)
def test_a_wrong_path_raises(rtsp: CameraProcess, path: str, kind: type[CameraError]) -> None:
    """The errors are those of the sources."""
    with pytest.raises(kind):
        check(rtsp.url(path))


@pytest.mark.parametrize(("url", "kind"), [("gopher://x/y", UnsupportedSource), ("rtsp://127.0.0.1:1/x", CameraUnreachable)])
def test_a_wrong_address_raises(url: str, kind: type[CameraError]) -> None:
    """Before anything is read."""
    with pytest.raises(kind):
        check(url)
