"""What is said of a camera that cannot be read: the right error, within seconds, and never a password."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from pipeline.errors import CameraError, CameraNotFound, CameraNotVideo, CameraUnauthorized, CameraUnreachable
from producer.sources.base import CameraFroze
from producer.sources.stream import StreamSource, open_stream
from tests.cameras.clips import Clips
from tests.cameras.process import CameraProcess, rtsp_camera, web_camera

USER = "admin:s3cr3t%40w0rd"
PLAIN = "admin:s3cr3t@w0rd"


@pytest.fixture(scope="module", params=["basic", "digest", "http"])
def locked(request: pytest.FixtureRequest, clips: Clips) -> Iterator[CameraProcess]:
    """A camera that asks for a password, by each way of asking."""
    video = clips.video("360")
    options = {"basic": (), "digest": ("--digest",)}
    camera = (
        web_camera(video, "--auth", PLAIN)
        if request.param == "http"
        else rtsp_camera({"360": video}, "--auth", PLAIN, *options[request.param])
    )
    with camera:
        yield camera


def path_of(camera: CameraProcess) -> str:
    return "mjpeg" if camera.url("").startswith("http") else "360"


def test_the_right_password_opens(locked: CameraProcess) -> None:
    """A password with an @ is written with %40."""
    with closing(open_stream(locked.url(path_of(locked), USER))) as source:
        assert source.advance() is not None


@pytest.mark.parametrize("user", ["", "admin:wr0ng", "nobody:s3cr3t%40w0rd"])
def test_a_wrong_password_is_called_that(locked: CameraProcess, user: str) -> None:
    """Within a second, in a sentence that does not repeat it."""
    began = time.monotonic()
    with pytest.raises(CameraUnauthorized, match="refuses this user or password") as caught:
        open_stream(locked.url(path_of(locked), user))
    assert time.monotonic() - began < 4
    assert "wr0ng" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_a_camera_that_knows_no_tcp_is_read_over_udp(clips: Clips) -> None:
    """UDP comes second by itself."""
    with rtsp_camera({"360": clips.video("360")}, "--udp-only") as camera, closing(open_stream(camera.url("360"))) as source:
        assert source.advance() is not None


@pytest.mark.parametrize(
    ("path", "kind"), [("nothing", CameraNotFound), ("audio", CameraNotVideo)], ids=["no such path", "sound only"]
)
def test_rtsp_paths_that_show_nothing(rtsp: CameraProcess, path: str, kind: type[CameraError]) -> None:
    """A missing path is another fault than one without a video."""
    with pytest.raises(kind):
        open_stream(rtsp.url(path))


@pytest.mark.parametrize(("path", "kind"), [("nothing", CameraNotFound), ("page", CameraNotVideo)])
def test_web_paths_that_show_nothing(web: CameraProcess, path: str, kind: type[CameraError]) -> None:
    """A page is no video."""
    with pytest.raises(kind):
        open_stream(web.url(path))


def test_nothing_listens() -> None:
    """A refused connection is told at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(CameraUnreachable, match="nothing listens"):
        open_stream(f"rtsp://u:s3cr3t@127.0.0.1:{port}/main")


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_silent_host_is_given_up_in_time(scheme: str) -> None:
    """A host that accepts and says nothing costs what was allowed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        with pytest.raises(CameraUnreachable, match="stays silent") as caught:
            open_stream(f"{scheme}://u:s3cr3t@127.0.0.1:{server.getsockname()[1]}/main", open_seconds=1.0)
        assert 0.9 < time.monotonic() - began < 5.0
    assert "s3cr3t" not in str(caught.value)


def test_an_unknown_host_is_called_that() -> None:
    """FFmpeg calls it an input/output error."""
    with pytest.raises(CameraUnreachable, match="no host of that name"):
        open_stream("rtsp://u:s3cr3t@no-such-host.invalid/main")


def test_a_camera_that_plays_nothing_is_noticed(rtsp: CameraProcess) -> None:
    """It agreed to play; nothing came for as long as was allowed."""
    source = open_stream(rtsp.url("silent"), open_seconds=0.5, read_seconds=0.5)
    with closing(source), pytest.raises(CameraFroze):
        source.advance()


def test_garbage_is_not_taken_for_pictures(rtsp: CameraProcess) -> None:
    """Noise has no frames, raises nothing of FFmpeg's, and is given up after a while."""
    source = open_stream(rtsp.url("garbage"), read_seconds=1.0)
    with closing(source), pytest.raises(CameraNotVideo, match="no picture"):
        read_on(source)


def test_a_freeze_is_noticed_when_it_should_be(fragile: CameraProcess) -> None:
    """After `read_seconds`, and without a stale frame at last."""
    source = open_stream(fragile.url("360"), read_seconds=1.0)
    source.advance()
    fragile.freeze()
    frozen = time.monotonic()
    with closing(source), pytest.raises(CameraFroze):
        read_on(source)
    assert 0.9 < time.monotonic() - frozen < 5.0


def test_a_camera_that_dies_ends_the_stream(fragile: CameraProcess) -> None:
    """Its end is an error, not the end of a film."""
    source = open_stream(fragile.url("360"))
    source.advance()
    fragile.kill()
    with closing(source), pytest.raises(CameraUnreachable, match="ended the stream"):
        read_on(source)


def read_on(source: StreamSource) -> None:
    """Read until the end; a frame never takes longer than the source's patience."""
    asked = time.monotonic()
    while source.advance() is not None:
        assert time.monotonic() - asked < source.patience
        asked = time.monotonic()
