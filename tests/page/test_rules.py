"""A camera's rules on the page: what it is for, and zones and masks drawn on its picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.support import Producer, Worker, picture
from tests.page.conftest import PHONE, Opener
from tests.page.house import House

HALF = [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]


@pytest.fixture
def door(house: House) -> House:
    """A house with a camera at its door, and a picture of it."""
    house.put("door")
    with Worker(house.broker) as worker:
        Producer(house.broker, "door").offer(picture(width=1280, height=720))
        worker.wait_for(1)
    return house


def rules_of(page: Page) -> Locator:
    """Open the camera's form, its rules, and its zones."""
    page.get_by_role("button", name="Change door").click()
    form = page.get_by_role("dialog")
    form.get_by_text("Rules: purpose").click()
    form.get_by_text("Zones and masks").click()
    expect(form.get_by_text("Its picture of")).to_be_visible()
    return form


def saved(page: Page, form: Locator, house: House) -> dict[str, Any]:
    """Save, and return the camera as it is now."""
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    return dict(house.api.get("/api/cameras")["cameras"][0])


def near(corners: list[list[float]], wanted: list[list[float]]) -> bool:
    return len(corners) == len(wanted) and all(
        abs(a - b) < 0.012 for one, two in zip(corners, wanted, strict=True) for a, b in zip(one, two, strict=True)
    )


def test_purpose_gate_labels_schedule_and_size_are_chosen(show: Opener, door: House, axe: Callable[[Page], None]) -> None:
    """Only what was changed is sent; what cannot be is said in the server's words, and nothing is lost."""
    page = show(door.api.url)
    form = rules_of(page)
    form.get_by_label("Purpose").select_option("access")
    expect(form.get_by_text("emotions are neither asked for nor told")).to_be_visible()
    form.get_by_label("Gate").select_option("face")
    form.get_by_label("Labels of the scene").fill("every 10s")
    form.get_by_label("Schedule").fill("mon-fri 8-18")
    form.get_by_label("Smallest face").fill("60")
    axe(page)
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("status").first).to_contain_text("schedule 'mon-fri 8-18' is not understood")
    form.get_by_label("Schedule").fill("mon-fri 08:00-18:00")
    now = saved(page, form, door)
    assert {name: now[name] for name in ("purpose", "gate", "labels", "schedule", "smallest_face", "zones")} == {
        "purpose": "access",
        "gate": "face",
        "labels": 10.0,
        "schedule": "mon-fri 08:00-18:00",
        "smallest_face": 60,
        "zones": [],
    }


def test_a_zone_is_drawn_and_moved_with_the_mouse(show: Opener, door: House, shot: Callable[[Page, str], Path]) -> None:
    page = show(door.api.url)
    form = rules_of(page)
    stage = form.locator(".areas-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + (start[0] + end[0]) / 2 * box["width"], box["y"] + (start[1] + end[1]) / 2 * box["height"])
        page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"])
        page.mouse.up()

    drag((0.2, 0.2), (0.6, 0.6))
    drag((0.4, 0.4), (0.5, 0.5))
    drag((0.7, 0.7), (0.9, 0.8))
    form.get_by_role("button", name="Add mask").click()
    shot(page, "rules-light")
    now = saved(page, form, door)
    assert near(now["zones"][0], [[0.3, 0.3], [0.7, 0.3], [0.9, 0.8], [0.3, 0.7]])
    assert len(now["masks"]) == 1


def test_a_corner_is_moved_added_and_removed_by_keyboard(show: Opener, door: House) -> None:
    page = show(door.api.url)
    form = rules_of(page)
    form.get_by_role("button", name="Add zone").click()
    corner = form.get_by_role("button", name="zone 1, corner 1: 25 % from the left, 25 % from the top")
    expect(corner).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(form.get_by_role("button", name="zone 1, corner 1: 26 % from the left, 30 % from the top")).to_be_focused()
    page.keyboard.press("Enter")
    expect(form.get_by_role("button", name="zone 1, corner 5")).to_be_visible()
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    expect(form.locator(".handle")).to_have_count(3)
    assert len(saved(page, form, door)["zones"][0]) == 3


def test_a_mask_is_written_in_numbers_and_taken_away(show: Opener, door: House, shot: Callable[[Page, str], Path]) -> None:
    """For whoever sees no picture; on a phone, in the dark."""
    page = show(door.api.url, PHONE, "dark")
    form = rules_of(page)
    form.get_by_role("button", name="Add mask").click()
    form.get_by_role("button", name="Add zone").click()
    numbers = form.get_by_label("Mask 1: corners in percent")
    numbers.fill("0,50 100,50 120,100")
    numbers.press("Tab")
    expect(form.get_by_text("at least three corners as pairs from 0 to 100")).to_be_visible()
    numbers.fill("0,50 100,50 100,100 0,100")
    numbers.press("Tab")
    expect(form.get_by_text("at least three corners")).to_have_count(0)
    form.get_by_role("button", name="Remove zone 1").click()
    form.locator(".areas-stage").scroll_into_view_if_needed()
    shot(page, "rules-phone-dark")
    now = saved(page, form, door)
    assert (now["zones"], now["masks"]) == ([], [HALF])
