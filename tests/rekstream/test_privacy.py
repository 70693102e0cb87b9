"""`rekstream up --privacy`: no face can be found in anything that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.dashboard.watching import viewing
from tests.rekstream.running import Up
from vision.faces import FaceEngine
from vision.pictures import decode


@dataclass(frozen=True)
class At:
    """A running dashboard."""

    url: str


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with Up(tmp_path_factory.mktemp("private"), ["demo"], "--privacy") as running:
        yield running


def test_pictures_that_are_kept_and_shown_have_no_face(up: Up) -> None:
    """Though faces were found: results have them, pictures do not. A viewer who asks for previews gets frames only."""
    engine = FaceEngine()
    assert up.fresh_result("demo")["FaceDetails"]
    with viewing(At(up.api), demo="preview") as viewer:
        shown = [viewer.next() for _ in range(3)]
    assert {picture.kind for picture in shown} == {"frame"}
    kept = httpx.get(f"{up.api}/api/cameras/demo/frame.jpg").content
    for jpeg in (kept, *(picture.jpeg for picture in shown)):
        assert decode(jpeg).shape == (720, 1280, 3)
        assert not engine.detect(decode(jpeg))
    assert up.get("/api/stats")["privacy"] is True


def test_the_worst_frames_and_checks_of_sources_show_none_either(up: Up) -> None:
    engine = FaceEngine()
    check = httpx.post(f"{up.api}/api/cameras/check", json={"url": "demo"}, timeout=30).json()
    assert check["faces"]
    assert check["picture"] is None
    pictures = [httpx.get(f"{up.api}/api/worst/{worst['id']}/frame.jpg") for worst in up.get("/api/worst")["worst"]]
    kept = [picture.content for picture in pictures if picture.is_success]
    assert kept
    assert not any(engine.detect(decode(jpeg)) for jpeg in kept)
