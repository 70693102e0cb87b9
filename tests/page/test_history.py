"""The page History: what was published is found again, the timeline is walked and zoomed, gaps and troubles are said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import insert, select

from history.process import HistoryProcess
from history.schema import gaps, streams
from tests.dashboard.support import until
from tests.history.support import face, history_process, publish
from tests.page.conftest import PHONE, WALL, Opener
from tests.page.house import House

DOOR, YARD = 40, 12  # results that are published of each camera


@pytest.fixture
def history(house: House, tmp_path: Path) -> Iterator[HistoryProcess]:
    """A real history process, which has written an afternoon of two cameras: 40 results of the door, then 12 of the yard."""
    house.put("door", "yard")
    now = house.now()
    smiling = face("door-1", AgeRange={"Low": 31, "High": 39}, Gender={"Value": "Female", "Confidence": 99.0})
    for number in range(DOOR):
        publish(house.broker, "door", at=now - 600 + number, faces=[smiling])
    for number in range(YARD):
        publish(
            house.broker, "yard", at=now - 300 + number, faces=[face("yard-1", Emotions=[{"Type": "CALM", "Confidence": 95.0}])]
        )
    publish(
        house.broker,
        "yard",
        at=now - 200,
        error={"Code": "ThrottlingException", "Message": "too many calls", "Kind": "throttled"},
    )
    with history_process(house.broker, tmp_path / "data") as process:
        until(lambda: house.api.http.get("/api/history/status").json().get("results") == DOOR + YARD + 1)
        yield process


@pytest.fixture
def kept(house: House, history: HistoryProcess) -> House:
    return house


def timeline(page: Page) -> Locator:
    return page.get_by_role("slider", name="Timeline")


def words(page: Page) -> str:
    return timeline(page).get_attribute("aria-valuetext") or ""


def test_what_was_seen_is_found_by_camera_and_emotion(
    show: Opener, kept: House, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """Results that follow on each other with the same faces are one entry, in words; a reload finds the same again."""
    page = show(f"{kept.api.url}/history")
    entries = page.locator(".found .entry")
    expect(entries).to_have_count(2)
    expect(entries.first).to_contain_text("yard")
    expect(entries.first).to_contain_text(f"{YARD} results")
    expect(entries.last).to_contain_text("woman 31\u201339 · happy · smiles")
    expect(entries.last).to_contain_text(f"{DOOR} results")
    named = {"track": "door-1", "camera": "door", "Person": {"Id": "p_1", "Name": "Grace Hopper"}, "Unknown": None}
    page.evaluate(
        """async (detail) => {
          const { store } = await import("/static/core/store.js");
          store.dispatchEvent(new CustomEvent("person", { detail }));
        }""",
        named,
    )
    expect(entries.last).to_contain_text("Grace Hopper")
    axe(page)
    shot(page, "history")
    page.get_by_label("only with faces").uncheck()
    expect(page.locator(".found")).to_contain_text("too many calls")
    page.get_by_label("emotion").select_option("CALM")
    expect(entries).to_have_count(1)
    page.reload()
    expect(page.get_by_label("emotion")).to_have_value("CALM")
    expect(entries).to_have_count(1)
    page.get_by_label("emotion").select_option("")
    page.get_by_label("camera", exact=True).select_option("door")
    expect(entries.filter(has_text="yard")).to_have_count(0)
    entries.first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"1 of {DOOR}")
    dialog.get_by_role("button", name="Older").click()
    expect(dialog).to_contain_text(f"2 of {DOOR}")
    expect(dialog).to_contain_text("No pictures are archived")
    axe(page)


def test_the_timeline_is_walked_and_zoomed_by_keyboard_and_mouse(show: Opener, kept: House) -> None:
    """The range that is shown gets shorter and longer, and all that is found follows it."""
    page = show(f"{kept.api.url}/history")
    until(lambda: f"{DOOR + YARD} faces" in words(page))
    line = timeline(page)
    line.focus()
    page.keyboard.press("Home")
    for _ in range(15):
        if "door" in words(page):
            break
        page.keyboard.press("ArrowRight")
    assert re.search(r"door \d+ faces in \d+ results", words(page))
    with page.expect_request(re.compile(r"/api/history/timeline\?since=[\d.]+&until=")):
        page.keyboard.press("+")
    until(lambda: f"{DOOR} faces" in words(page) or f"{DOOR + YARD} faces" in words(page))
    assert shown_seconds(page) == pytest.approx(450, abs=2)
    page.get_by_role("button", name="Zoom out").click()
    until(lambda: shown_seconds(page) == pytest.approx(900, abs=2))
    box = line.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40, steps=4)
    page.mouse.up()
    until(lambda: shown_seconds(page) == pytest.approx(225, rel=0.15))
    page.get_by_role("button", name="1 h", exact=True).click()
    until(lambda: f"{DOOR + YARD} faces" in words(page))


def shown_seconds(page: Page) -> float:
    """Return how long the range in the address is."""
    since, until_ = (float(re.search(rf"{name}=(\d+)", page.url)[1]) for name in ("since", "until"))  # type: ignore[index]  # a failure says it
    return until_ - since


def test_gaps_are_said_and_hatched(show: Opener, kept: House, history: HistoryProcess, axe: Callable[[Page], None]) -> None:
    with history.database.writing() as connection:
        stream = connection.execute(select(streams.c.number)).scalars().first()
        gap = {"after": "1-0", "since": kept.now() - 500, "till": kept.now() - 440, "lost": 240, "why": "Redis was away"}
        connection.execute(insert(gaps).values(stream=stream, **gap))
    page = show(f"{kept.api.url}/history")
    expect(page.locator(".found .gap")).to_contain_text("240 results are missing")
    expect(page.locator(".timeline rect.missing")).to_have_count(1)
    axe(page)


def test_a_history_that_is_away_is_said(show: Opener, house: House) -> None:
    page = show(f"{house.api.url}/history")
    expect(page.get_by_role("alert").filter(has_text="rekstream history")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (WALL, "light")])
def test_it_fits_any_screen(
    size: tuple[int, int],
    scheme: str,
    show: Opener,
    kept: House,
    axe: Callable[[Page], None],
    shot: Callable[[Page, str], Path],
) -> None:
    page = show(f"{kept.api.url}/history", size, scheme)
    expect(page.locator(".found .entry")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    axe(page)
    shot(page, f"history-{size[0]}-{scheme}")
