"""`rekstream up --privacy`: no face that was found can be found again in anything that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.dashboard.watching import viewing
from tests.rekstream.running import Up
from vision.entities import Box
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
    kept = httpx.get(f"{up.api}/api/cameras/demo/frame.jpg")
    pictures = [
        (kept.headers["X-Result-Id"], kept.content),
        *((picture.header["result_id"], picture.jpeg) for picture in shown),
    ]
    results = {result["id"]: result for result in up.get("/api/results?limit=1000")["results"]}
    for result_id, jpeg in pictures:
        assert decode(jpeg).shape == (720, 1280, 3)
        assert not [box for box in engine.detect(decode(jpeg)) if was_found(box, results[result_id])]
    assert up.get("/api/stats")["privacy"] is True


def test_the_worst_frames_and_checks_of_sources_show_none_either(up: Up) -> None:
    engine = FaceEngine()
    check = httpx.post(f"{up.api}/api/cameras/check", json={"url": "demo"}, timeout=30).json()
    assert check["faces"]
    assert check["picture"] is None
    kept = 0
    for worst in up.get("/api/worst")["worst"]:
        picture, result = httpx.get(f"{up.api}/api/worst/{worst['id']}/frame.jpg"), up.get(f"/api/worst/{worst['id']}")
        if picture.is_success and "FaceDetails" in result:  # a worse one may have taken its place meanwhile
            kept += 1
            assert not [box for box in engine.detect(decode(picture.content)) if was_found(box, result)]
    assert kept


def was_found(box: Box, result: dict[str, Any]) -> bool:
    """Say whether the analysis had found a face there: only what is found can be covered."""
    x, y = box.left + box.width / 2, box.top + box.height / 2
    boxes = [face["BoundingBox"] for face in result["FaceDetails"]]
    return any(b["Left"] <= x <= b["Left"] + b["Width"] and b["Top"] <= y <= b["Top"] + b["Height"] for b in boxes)
