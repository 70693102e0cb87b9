"""Videos and cameras for the tests of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rekstream.local import DEMO_FOLDER
from tests.cameras.clips import Clips
from tests.cameras.process import CameraProcess, rtsp_camera


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Videos by name, two seconds each, made once a session."""
    return Clips(tmp_path_factory.mktemp("clips"), DEMO_FOLDER, 2.0)


@pytest.fixture(scope="session")
def video(clips: Clips) -> Path:
    """Two seconds of the portraits, 640x360, 25 frames a second."""
    return clips.video("360")


@pytest.fixture
def camera(video: Path) -> Iterator[CameraProcess]:
    """A real RTSP camera with a password, to be frozen and killed."""
    with rtsp_camera({"main": video}, "--auth", "admin:s3cret!", "--digest") as process:
        yield process
