"""One contract for all sources, on real cameras, real files and real OpenCV."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.entities import Camera
from pipeline.errors import CameraError, CameraNotFound, CameraNotVideo, PictureError, UnsupportedSource
from producer.sources import Kind, Source, kind_of, open_source
from producer.sources.demo import FPS, place_of
from producer.sources.files import PictureFiles
from producer.sources.stream import open_stream
from producer.sources.webcam import WebcamSource
from tests.cameras.clips import Clips, read_stamp
from tests.cameras.process import CameraProcess

SOURCES = (
    "rtsp",
    "rtsp over udp",
    "rtsp with b-frames",
    "mjpeg",
    "hls",
    "http video",
    "video file",
    "pictures",
    "webcam",
    "demo",
)
STAMPED = tuple(name for name in SOURCES if name not in ("pictures", "demo"))
ENDING = ("video file", "pictures", "http video")

Opener = Callable[[str], Source]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory, portraits: Path) -> Path:
    """A folder of two portraits, two files that are no pictures, and one that nobody should look at."""
    folder = tmp_path_factory.mktemp("pictures")
    shutil.copy(portraits / "astronaut.png", folder / "a.png")
    shutil.copy(portraits / "grace_hopper.jpg", folder / "d.JPG")
    (folder / "b.jpg").write_text("this is text")
    (folder / "c.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("not a picture and not named like one")
    return folder


@pytest.fixture
def open_by_name(rtsp: CameraProcess, web: CameraProcess, clips: Clips, pictures: Path, portraits: Path) -> Opener:
    """Open a source by the name it has in these tests."""
    webcam_film = clips.video("360")
    urls = {
        "rtsp": rtsp.url("360"),
        "rtsp over udp": rtsp.url("360?udp"),
        "rtsp with b-frames": rtsp.url("360b"),
        "mjpeg": web.url("mjpeg"),
        "hls": web.url("live.m3u8"),
        "http video": web.url("video.mp4"),
        "video file": str(webcam_film),
        "pictures": str(pictures),
        "demo": "demo",
    }

    def open_it(name: str) -> Source:
        if name == "webcam":
            return WebcamSource("0", lambda _: cv2.VideoCapture(str(webcam_film)))
        return open_source(Camera(name, urls[name], fps=5.0), demo_folder=portraits)

    return open_it


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, open_by_name: Opener) -> Iterator[Source]:
    """Each source in turn."""
    with closing(open_by_name(request.param)) as opened:
        yield opened


@pytest.fixture(params=STAMPED)
def stamped(request: pytest.FixtureRequest, open_by_name: Opener) -> Iterator[Source]:
    """Each source that shows a clip with a counter in it."""
    with closing(open_by_name(request.param)) as opened:
        yield opened


def test_a_frame_has_the_size_it_says(source: Source) -> None:
    """Pixels are rows x columns x 3 of bytes, as many as the moment says; afterwards closing twice is harmless."""
    moment = source.advance()
    assert moment is not None
    pixels = source.picture().bgr()
    assert pixels.shape == (moment.height, moment.width, 3)
    assert pixels.dtype == np.uint8
    assert source.codec
    assert source.patience > 0
    source.close()
    source.close()


def test_frames_follow_one_another_and_may_be_kept(stamped: Source) -> None:
    """Each frame is seen once, in order, none is left out; a picture does not change while its source reads on."""
    kept, numbers = [], []
    for _ in range(18):
        assert stamped.advance() is not None
        kept.append(stamped.picture())
        numbers.append(read_stamp(kept[-1].bgr()))
    assert None not in numbers
    steps = [(after - before) % 50 for before, after in itertools.pairwise(n for n in numbers if n is not None)]
    assert set(steps) == {1}
    assert [read_stamp(picture.bgr()) for picture in kept] == numbers


def test_a_smaller_picture_shows_the_same(source: Source) -> None:
    """Its proportions and colours are those of the whole; a source that cannot make it smaller gives the whole."""
    assert source.advance() is not None
    whole, small = source.picture().bgr(), source.picture().bgr(160)
    height, width = small.shape[:2]
    assert max(width, height) == 160 or small.shape == whole.shape
    assert width / height == pytest.approx(whole.shape[1] / whole.shape[0], rel=0.02)
    assert small.mean(axis=(0, 1)) == pytest.approx(whole.mean(axis=(0, 1)), abs=3)


@pytest.mark.parametrize("name", ENDING)
def test_what_ends_says_so_and_goes_on_saying_it(name: str, open_by_name: Opener) -> None:
    """After the last frame there is None, however often one asks."""
    with closing(open_by_name(name)) as source:
        frames = sum(1 for _ in iter(source.advance, None))
        assert frames == (4 if name == "pictures" else 50)
        assert source.advance() is None


def test_colours_are_blue_first(open_by_name: Opener) -> None:
    """The astronaut's suit is orange: more red than blue."""
    with closing(open_by_name("pictures")) as source:
        source.advance()
        blue, _, red = source.picture().bgr()[300:400, 200:300].reshape(-1, 3).mean(axis=0)
    assert red > blue + 50


def test_live_frames_are_fresh(rtsp: CameraProcess) -> None:
    """A frame is read within a tenth of a second of being sent: nothing holds it back, from the first on."""
    with closing(open_stream(rtsp.url("360"))) as source:
        ages = []
        for _ in range(15):
            source.advance()
            now = time.time()
            number = read_stamp(source.picture().bgr())
            assert number is not None
            ages.append((now - rtsp.started - number / 25) % 2.0)
    assert ages[0] < 0.3
    assert sorted(ages)[len(ages) // 2] < 0.1


def test_a_change_of_resolution_is_seen_as_it_is(rtsp: CameraProcess) -> None:
    """Frames come at their real size, not scaled to the first one's."""
    sizes = set()
    with closing(open_stream(rtsp.url("switch"))) as source:
        for _ in range(42):
            moment = source.advance()
            assert moment is not None
            pixels = source.picture().bgr()
            assert pixels.shape[:2] == (moment.height, moment.width)
            assert read_stamp(pixels) is not None
            sizes.add((moment.width, moment.height))
    assert sizes == {(640, 360), (1280, 720)}


def test_a_camera_without_parameter_sets_in_its_description_is_read(rtsp: CameraProcess) -> None:
    """The first key frame brings what the SDP left out."""
    with closing(open_stream(rtsp.url("bare"))) as source:
        moment = source.advance()
    assert moment is not None
    assert (moment.width, moment.height) == (640, 360)


def test_broken_pictures_are_passed_over_one_by_one(pictures: Path) -> None:
    """A file that is no picture costs itself, not the folder."""
    with closing(PictureFiles(pictures, fps=2.0)) as source:
        seen: list[object] = []
        for moment in iter(source.advance, None):
            try:
                seen.append((moment.position, source.picture().bgr().shape[:2]))
            except PictureError as error:
                seen.append((moment.position, str(error).rsplit("/", 1)[-1]))
    assert seen == [
        (0.0, (512, 512)),
        (0.5, "b.jpg is no picture that can be decoded"),
        (1.0, "c.jpg is no picture that can be decoded"),
        (1.5, (600, 512)),
    ]


def test_the_demo_moves_and_is_empty_at_times() -> None:
    """Both portraits, one, and none are there within a round; both change their size."""
    for portrait in (0, 1):
        heights = [place.height for t in range(480) if (place := place_of(portrait, t / 10))]
        assert max(heights) > 1.5 * min(heights)
    crowds = [sum(place_of(portrait, t / 10) is not None for portrait in (0, 1)) for t in range(480)]
    assert set(crowds) == {0, 1, 2}
    assert crowds.count(2) > 240  # both, for most of the time
    assert crowds[:200] == [2] * 200  # and from the beginning


@pytest.mark.parametrize("portrait", [0, 1])
def test_who_leaves_the_demo_stays_away_for_longer_than_a_visit_may_pause(portrait: int) -> None:
    """One stay and one absence of twelve seconds in each round of 48."""
    there = [place_of(portrait, t / 10) is not None for t in range(960)]
    edges = [t / 10 for t in range(1, 960) if there[t] != there[t - 1]]
    assert len(edges) == 4
    away = [back - gone for gone, back in itertools.pairwise(edges) if not there[round(gone * 10)]]
    assert away
    assert min(away) >= 12 - 0.15


def test_the_demo_plays_in_real_time(open_by_name: Opener) -> None:
    """Twenty-five frames take a second."""
    with closing(open_by_name("demo")) as source:
        source.advance()
        began = time.monotonic()
        for _ in range(10):
            source.advance()
        assert 0.9 * 10 / FPS < time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rtsp://10.0.0.7/main", Kind.STREAM),
        ("RTSPS://10.0.0.7/main", Kind.STREAM),
        ("http://10.0.0.7/live.m3u8", Kind.STREAM),
        ("0", Kind.WEBCAM),
        ("webcam", Kind.WEBCAM),
        ("/dev/video2", Kind.WEBCAM),
        ("demo", Kind.DEMO),
    ],
)
def test_a_url_tells_its_kind(url: str, kind: Kind) -> None:
    """The kind is known before anything is opened."""
    assert kind_of(url) is kind


def test_paths_tell_their_kind(pictures: Path, clips: Clips) -> None:
    """Folders and pictures are pictures, other files are videos, with or without file://."""
    assert kind_of(str(pictures)) is Kind.PICTURES
    assert kind_of(str(pictures / "a.png")) is Kind.PICTURES
    assert kind_of(str(clips.video("360"))) is Kind.VIDEO_FILE
    assert kind_of(clips.video("360").as_uri()) is Kind.VIDEO_FILE


@pytest.mark.parametrize(
    ("url", "kind", "says"),
    [
        ("ftp://10.0.0.7/film", UnsupportedSource, "ftp://"),
        ("rtsp://", UnsupportedSource, "no host"),
        ("/no/such/thing", CameraNotFound, "/no/such/thing"),
        ("/dev/video99", CameraNotFound, "/dev/video99"),
        ("{tmp}", UnsupportedSource, "no picture in the folder"),
        ("{tmp}/text.jpg", CameraNotVideo, "text.jpg"),
        ("{tmp}/text.mp4", CameraNotVideo, "text.mp4"),
        ("{tmp}/empty.mp4", CameraNotVideo, "empty.mp4"),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, kind: type[CameraError], says: str, tmp_path: Path) -> None:
    """One sentence names the thing."""
    if "/" in url.removeprefix("{tmp}"):
        (tmp_path / "text.jpg").write_text("text")
        (tmp_path / "text.mp4").write_text("text" * 1000)
        (tmp_path / "empty.mp4").touch()
    with pytest.raises(kind, match=says):
        open_source(Camera("c", url.format(tmp=tmp_path), fps=1.0))


def test_the_demo_without_its_portraits_says_so(tmp_path: Path) -> None:
    """An incomplete installation is named as that."""
    with pytest.raises(CameraNotFound, match="portraits"):
        open_source(Camera("c", "demo", fps=1.0), demo_folder=tmp_path)
