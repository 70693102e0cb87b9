"""Who was seen, on the pages: visits, unknown people, what people say of them, and alerts with their verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.support import until
from tests.page.conftest import Opener
from tests.page.house import House
from tests.people.hooks import Hook
from tests.people.seeing import Seeing
from tests.people.support import people_process
from tests.vision.scenes import HOPPER, portrait_bytes

MINUTES = 300.0


@pytest.fixture
def seeing(house: House, tmp_path: Path) -> Iterator[Seeing]:
    """Workers that publish what the test says, five minutes ago, and a real people process that follows them."""
    house.put("door")
    with people_process(house.broker, tmp_path / "data"):
        until(lambda: house.api.http.get("/api/visits").is_success)
        seeing = Seeing(house.broker)
        seeing.began = time.time() - MINUTES
        yield seeing


def came(seeing: Seeing, *tracks: str) -> None:
    """Let the same unknown face come as each of these tracks, a minute apart."""
    for number, track in enumerate(tracks):
        seeing.view(track, who=7, jpeg=portrait_bytes(HOPPER))
        seeing.stay(track, 60.0 * number, 60.0 * number + 3)
        time.sleep(0.3)  # the process groups what it has heard


def test_an_unknown_who_comes_again_is_named_and_the_name_taken_back(
    show: Opener, house: House, seeing: Seeing, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """The name holds for the visits before, too; what is said not to be that person is not."""
    came(seeing, "door-1", "door-2", "door-3")
    page = show(f"{house.api.url}/people#seen")
    group = page.get_by_role("listitem").filter(has_text="unknown, 3rd visit")
    expect(group.get_by_role("img")).to_be_visible()
    visits = page.get_by_role("region", name="Visits").get_by_role("row")
    expect(visits).to_have_count(4)
    axe(page)
    shot(page, "people-seen")
    group.get_by_role("button", name="this is …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Grace Hopper")
    dialog.get_by_label("Enrol this face").uncheck()
    axe(page)
    dialog.get_by_role("button", name="This is the person").click()
    expect(dialog).to_have_count(0)
    expect(visits.filter(has_text="Grace Hopper")).to_have_count(3)
    expect(group).to_have_count(0)
    visits.nth(1).get_by_role("button", name="Not Grace Hopper").click()
    expect(visits.nth(1)).not_to_contain_text("Grace Hopper")


def test_an_alert_comes_on_live_and_is_judged_there(show: Opener, house: House, seeing: Seeing) -> None:
    """What is said of it is kept, and stands on the page People, too."""
    page = show(house.api.url)
    with Hook() as hook:
        watch = {"who": "unknown", "notify": [hook.url]}
        assert house.api.http.post("/api/watches", json=watch).status_code == 201
        seeing.began = house.now()
        seeing.view("door-9", who=9)
        seeing.stay("door-9", 0, 2)
        seeing.search(1, "door-9")
        alert = page.get_by_role("log").get_by_role("listitem").filter(has_text="was seen by camera door")
        alert.get_by_role("button", name="Wrong").click()
        expect(alert.get_by_text("wrong", exact=True)).to_be_visible()
        (kept,) = house.api.get("/api/alerts")["alerts"]
        assert kept["verdict"] == "wrong"
        alert.get_by_role("button", name="Undo").click()
        expect(alert.get_by_role("button", name="Confirm")).to_be_visible()
        page.get_by_role("link", name="People").click()
        page.get_by_role("tab", name="Alerts").click()
        listed = page.get_by_role("listitem").filter(has_text="was seen by camera door")
        expect(listed).to_contain_text("receiver 1: delivered")
        listed.get_by_role("button", name="Confirm").click()
        expect(listed.get_by_text("confirmed", exact=True)).to_be_visible()
    assert [one["verdict"] for one in house.api.get("/api/alerts")["alerts"]] == ["confirmed"]
