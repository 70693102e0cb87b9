"""Real cameras and the videos that the cameras show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cameras.clips import Clips
from tests.cameras.process import CameraProcess, rtsp_camera, web_camera

PORTRAITS = Path(__file__).parents[2] / "rekstream" / "demo"
SECONDS = 2.0  # of every clip; the counter in its frames begins anew each time it loops


@pytest.fixture(scope="session")
def portraits() -> Path:
    """The folder of the demo's portraits."""
    return PORTRAITS


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Videos by name, each made once a session."""
    return Clips(tmp_path_factory.mktemp("clips"), PORTRAITS, SECONDS)


@pytest.fixture(scope="session")
def rtsp(clips: Clips) -> Iterator[CameraProcess]:
    """An RTSP camera that nobody may break."""
    with rtsp_camera({name: clips.video(name) for name in ("360", "720", "360b")}) as camera:
        yield camera


@pytest.fixture(scope="session")
def web(clips: Clips) -> Iterator[CameraProcess]:
    """An HTTP camera that nobody may break."""
    with web_camera(clips.video("360")) as camera:
        yield camera


@pytest.fixture
def fragile(clips: Clips) -> Iterator[CameraProcess]:
    """An RTSP camera to be frozen and killed."""
    with rtsp_camera({"360": clips.video("360")}) as camera:
        yield camera
