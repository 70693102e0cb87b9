"""The page Attendance: a day of three people by the house's clock, and a correction that stays beside what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import insert

from history.days import Days
from history.mirror import mirror, people, visits
from tests.dashboard.support import until
from tests.history.support import history_process, rows
from tests.page.conftest import PHONE, Opener
from tests.page.house import House
from tests.people.support import people_process

TOKYO = Days("Asia/Tokyo")  # nine hours ahead of where the browser of the tests is
DAY = date.today() - timedelta(days=3)  # noqa: DTZ011  # whichever day that is
STAYS = (
    ("p_1", "door", "08:30", "11:00"),
    ("p_1", "yard", "12:30", "17:15"),
    ("p_2", "door", "22:10", "24:00"),
)


@pytest.fixture
def kept(house: House, tmp_path: Path) -> Iterator[House]:
    """A house of one day: Grace was away over noon, Eileen came late and stayed over midnight, Ada did not come."""
    house.put("door", "yard")
    data = tmp_path / "data"
    with people_process(house.broker, data), history_process(house.broker, data, time_zone="Asia/Tokyo") as process:
        until(lambda: house.api.http.get("/api/attendance").is_success)
        until(
            lambda: [row for row in rows(process, mirror) if row["source"] and row["number"] >= row["whole_at"]]
        )  # what is written now stays
        names = {"p_1": "Grace Hopper", "p_2": "Eileen Collins", "p_3": "Ada Lovelace"}
        with process.database.writing() as connection:
            connection.execute(insert(people), [{"id": one, "name": name, "added": 0.0} for one, name in names.items()])
            for number, (person, camera, came, left) in enumerate(STAYS):
                stay = {
                    "began": at(came),
                    "ended": at(left) if left != "24:00" else TOKYO.begin(DAY + timedelta(days=1)) + 3600,
                }
                about = {"id": number, "camera": camera, "person": person, "unknown": None, "similarity": 99.0, "is_open": 0}
                connection.execute(insert(visits).values({**about, **stay}))
        yield house


def at(clock: str) -> float:
    return TOKYO.moment(DAY, clock)


def entry(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=name)


def opened(show: Opener, house: House, size: tuple[int, int] = (1280, 800), scheme: str = "light") -> Page:
    page = show(f"{house.api.url}/attendance", size, scheme)
    page.get_by_label("day", exact=True).fill(DAY.isoformat())
    expect(entry(page, "Grace Hopper")).to_contain_text("08:30")
    return page


def test_it_tells_who_came_and_went_by_the_clock_of_the_house(
    show: Opener, kept: House, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """Also where the browser stands elsewhere; whoever stays over midnight is there until 24:00."""
    page = opened(show, kept)
    expect(page.get_by_text("2 of 3 people were here; times are those of Asia/Tokyo")).to_be_visible()
    grace = entry(page, "Grace Hopper")
    expect(grace.locator("dd")).to_have_text(["08:30", "17:15"])
    expect(grace).to_contain_text("7 h 15 min in sight · 2 visits · away 11:00\u201312:30 · door, yard")
    expect(grace.get_by_role("img", name="08:30 to 17:15, 1 gap")).to_be_visible()
    expect(entry(page, "Eileen Collins").locator("dd")).to_have_text(["22:10", "24:00"])
    expect(entry(page, "Ada Lovelace")).to_contain_text("absent")
    axe(page)
    shot(page, "attendance")
    page.get_by_label("camera", exact=True).select_option("yard")
    expect(grace.locator("dd")).to_have_text(["12:30", "17:15"])
    with page.expect_download() as file:
        page.get_by_role("link", name="CSV").click()
    assert "Grace Hopper" in Path(file.value.path()).read_text()


def test_a_correction_counts_and_what_was_seen_stays_beside_it(show: Opener, kept: House, axe: Callable[[Page], None]) -> None:
    page = opened(show, kept)
    grace = entry(page, "Grace Hopper")
    grace.get_by_role("button", name="Correct").click()
    form = page.get_by_role("dialog")
    expect(form).to_contain_text("Seen from 08:30 to 17:15")
    form.get_by_label("Came at").fill("08:05")
    axe(page)
    form.get_by_role("button", name="Save").click()
    expect(grace.locator("dd").first).to_have_text("08:0508:30")
    expect(grace.locator("dd s").first).to_have_text("08:30")
    expect(grace).to_contain_text("corrected by")
    entry(page, "Ada Lovelace").get_by_role("button", name="Correct").click()
    form.get_by_label("Or excused").fill("travelling")
    form.get_by_role("button", name="Save").click()
    expect(entry(page, "Ada Lovelace")).to_contain_text("excused: travelling")
    grace.get_by_role("button", name="Correct").click()
    form.get_by_role("button", name="Take the correction back").click()
    expect(grace.locator("dd").first).to_have_text("08:30")


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark")])
def test_it_fits_a_phone(
    size: tuple[int, int],
    scheme: str,
    show: Opener,
    kept: House,
    axe: Callable[[Page], None],
    shot: Callable[[Page, str], Path],
) -> None:
    page = opened(show, kept, size, scheme)
    page.get_by_role("button", name="7 days").click()
    expect(entry(page, "Ada Lovelace")).not_to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    axe(page)
    shot(page, f"attendance-{size[0]}-{scheme}")
