"""Names on Live: who somebody is stands on boxes, tiles and in the detail, and changes at once when people say so."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from pipeline.entities import CameraState, CameraStatus, Gate, Purpose
from pipeline.happenings import Happenings
from pipeline.names import Names, TrackName
from tests.dashboard.support import FACE, camera, put_cameras
from tests.page.conftest import Opener
from tests.page.house import House
from tests.page.test_live import opened, tile

GRACE = {"Id": "p_1", "Name": "Grace Hopper", "Similarity": 99.1}


def face(track: int, left: float, **members: Any) -> dict[str, Any]:
    """Return a face of a track, in its place."""
    box = {**FACE["BoundingBox"], "Left": left}  # type: ignore[dict-item]  # the box is one
    return {**FACE, "BoundingBox": box, "Track": f"door-{track}", **members}


def call(house: House, person: dict[str, Any] | None) -> None:
    """Let the track be somebody, or nobody, as the people process does."""
    Names(house.broker.scripts).write({"door-1": TrackName(person=person)})
    Happenings(house.broker.scripts).tell("person", {"track": "door-1", "camera": "door", "Person": person, "Unknown": None})


def test_names_stand_in_the_tile_and_in_the_detail(show: Opener, house: House, shot: Callable[[Page, str], Path]) -> None:
    """Persons by name, others by how often they came; who does not count is not counted, and it is said why."""
    house.put("door")
    Names(house.broker.scripts).write(
        {"door-1": TrackName(person=GRACE), "door-2": TrackName(unknown={"Id": "u_12", "Visits": 4}), "door-3": TrackName()}
    )
    page = show(house.api.url)
    house.see("door", face(1, 0.1), face(2, 0.4), face(3, 0.7), face(4, 0.75, Ignored="zone"))
    expect(tile(page, "door").locator(".ages .badge").last).to_contain_text("Grace Hopper, unknown, 4th visit + 1")
    detail = opened(page, "door")
    expect(detail.locator(".face h3")).to_have_text(
        ["1 · Grace Hopper", "2 · unknown, 4th visit", "3 · unknown", "4 · unknown"]
    )
    expect(detail.locator(".face").last).to_contain_text("not counted: outside of the zones")
    expect(detail.get_by_role("button", name="Not this person")).to_have_count(1)
    expect(detail.get_by_role("button", name="This is …")).to_have_count(3)
    shot(page, "names-detail")


def test_a_name_that_comes_or_goes_is_seen_at_once(show: Opener, house: House) -> None:
    """Without a new picture: the one that is there is told who it shows."""
    house.put("door")
    page = show(house.api.url)
    house.see("door", face(1, 0.1))
    faces = tile(page, "door").locator(".ages .badge").last
    expect(faces).to_contain_text("1 face")
    call(house, GRACE)
    expect(faces).to_contain_text("Grace Hopper")
    detail = opened(page, "door")
    expect(detail.locator(".face h3")).to_have_text("Grace Hopper")
    call(house, None)
    expect(detail.locator(".face h3")).to_have_text("unknown")


def test_with_a_camera_for_audiences_nobody_is_called_anything(show: Opener, house: House) -> None:
    put_cameras(house.broker, camera("door", purpose=Purpose.AUDIENCE))
    house.registry.report(CameraStatus("door", CameraState.LIVE, "", house.now(), house.now(), 320, 180), 60)
    page = show(f"{house.api.url}/#camera=door")
    house.see("door", face(1, 0.1))
    detail = page.get_by_role("dialog")
    expect(detail.locator(".face h3")).to_have_text("a face")
    expect(detail.get_by_role("button", name="This is …")).to_have_count(0)
    expect(detail.get_by_role("link", name="Notice to print")).to_have_attribute("href", "/api/cameras/door/notice")


def test_a_camera_whose_gate_sees_nobody_is_empty_and_not_stale(show: Opener, house: House) -> None:
    """Its last analysed picture may be as old as it likes; how much is saved is said."""
    put_cameras(house.broker, camera("door", gate=Gate.FACE))
    status = CameraStatus("door", CameraState.LIVE, "", house.now(), house.now(), 320, 180, capture_fps=25.0)
    house.registry.report(replace(status, gate_sees="1 face", gate_passed=4.9, gate_saved=0.1), 60)
    page = show(f"{house.api.url}/#camera=door")
    house.see("door", face(1, 0.1))
    detail = page.get_by_role("dialog")
    expect(detail.locator(".ages")).to_contain_text("1 face")
    house.registry.report(replace(status, gate_sees="nobody", gate_passed=0.1, gate_saved=4.9), 60)
    expect(detail.get_by_text("4.9/s saved · nobody")).to_be_visible()
    expect(detail.get_by_text("Nobody is there: the last picture that was analysed is")).to_be_visible()
    expect(detail.locator(".ages")).to_have_text(re.compile(r"[4-9]\.\d s"))
    expect(detail.locator(".stage")).to_have_class("stage ")
    page.keyboard.press("Escape")
    expect(tile(page, "door").locator(".ages .badge").last).to_have_text("nobody there")


def test_the_newest_labels_of_the_scene_stand_in_the_tile(show: Opener, house: House) -> None:
    put_cameras(house.broker, camera("yard", labels=10.0))
    page = show(house.api.url)
    house.see_labels("yard", "Dog", "Person")
    expect(tile(page, "yard").locator(".scene")).to_have_text("labels of the sceneDog, Person")
