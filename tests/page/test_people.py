"""The page People over a whole running system: whoever is enrolled here is known, and whoever is forgotten is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from rekstream.local import DEMO_FOLDER
from tests.page.conftest import PHONE, Opener
from tests.people.hooks import Hook
from tests.rekstream.running import Up
from tests.vision.scenes import background

HOPPER, ASTRONAUT = DEMO_FOLDER / "grace_hopper.jpg", DEMO_FOLDER / "astronaut.png"


@pytest.fixture
def empty(system: Up) -> Iterator[Up]:
    """The system that all tests of the page share: whoever is known at the end is forgotten."""
    yield system
    for watch in system.get("/api/watches")["watches"]:
        httpx.delete(f"{system.api}/api/watches/{watch['id']}").raise_for_status()
    for person in system.get("/api/people")["people"]:
        httpx.delete(f"{system.api}/api/people/{person['id']}", timeout=60).raise_for_status()


def enrolled(system: Up, name: str, picture: Path, **members: str) -> str:
    """Add somebody by the API, and return their id."""
    files = {"image": (picture.name, picture.read_bytes())}
    answer = httpx.post(f"{system.api}/api/people", data={"name": name, **members}, files=files, timeout=60)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(name))


def test_somebody_is_added_and_each_refusal_stands_beside_its_picture(
    show: Opener, empty: Up, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """A picture of somebody else is refused; what was good is kept."""
    page = show(f"{empty.api}/people")
    expect(page.get_by_text("Nobody is known yet")).to_be_visible()
    page.get_by_role("button", name="Add somebody").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Grace Hopper")
    form.get_by_role("button", name="Add", exact=True).click()
    expect(form.get_by_text("Add a picture first")).to_be_visible()
    form.get_by_label("Consent given on").fill("2026-11-01")
    form.get_by_label("Picture files").set_input_files([HOPPER, ASTRONAUT])
    expect(form.get_by_role("listitem")).to_have_count(2)
    form.get_by_role("button", name="Add", exact=True).click()
    expect(form.get_by_role("listitem").filter(has_text="grace_hopper.jpg")).to_contain_text("enrolled")
    expect(form.get_by_role("listitem").filter(has_text="astronaut.png")).to_contain_text(
        "is not like Grace Hopper's other pictures"
    )
    axe(page)
    shot(page, "people-add")
    page.keyboard.press("Escape")
    expect(card(page, "Grace Hopper")).to_contain_text("1 face")
    expect(card(page, "Grace Hopper")).to_contain_text("consent 2026-11-01")
    assert [person["name"] for person in empty.get("/api/people")["people"]] == ["Grace Hopper"]


def test_whoever_has_no_good_picture_is_not_added(show: Opener, empty: Up, tmp_path: Path) -> None:
    nobody = tmp_path / "nobody.jpg"
    nobody.write_bytes(no_face())
    page = show(f"{empty.api}/people")
    page.get_by_role("button", name="Add somebody").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Nobody")
    form.get_by_label("Picture files").set_input_files([nobody])
    form.get_by_role("button", name="Add", exact=True).click()
    expect(form.get_by_role("listitem")).to_contain_text("there is no face in the picture")
    expect(form.get_by_text("nobody was added")).to_be_visible()
    assert empty.get("/api/people")["people"] == []


def test_a_person_is_changed_gets_a_snapshot_loses_a_face_and_is_forgotten(
    show: Opener, empty: Up, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """Forgetting is asked once, and shows what was removed and what a search finds afterwards."""
    enrolled(empty, "Eileen", ASTRONAUT)
    page = show(f"{empty.api}/people", PHONE, "dark")
    expect(card(page, "Eileen")).to_contain_text("no consent noted")
    assert page.evaluate("document.documentElement.scrollWidth <= visualViewport.width")
    shot(page, "people-phone-dark")
    card(page, "Eileen").click()
    person = page.get_by_role("dialog")
    person.get_by_label("Name").fill("Eileen Collins")
    person.get_by_label("Legal basis").fill("staff")
    person.get_by_role("button", name="Save").click()
    expect(person.get_by_role("heading", name="Eileen Collins")).to_be_visible()
    expect(person.get_by_text("113 px high")).to_be_visible()
    person.get_by_role("button", name="Take a snapshot").click()
    page.get_by_role("button", name="Take it").click()
    person.get_by_role("button", name="Enrol these pictures").click()
    expect(person.get_by_role("listitem").filter(has_text="snapshot")).to_contain_text("there are 2 faces in the picture")
    axe(page)
    person.get_by_role("button", name="Forget …").click()
    person.get_by_role("button", name="Really forget Eileen Collins, everywhere?").click()
    expect(person.get_by_text("is forgotten: everything was searched again, and nothing was found")).to_be_visible()
    expect(person.get_by_role("row", name=re.compile("faces in the collection"))).to_have_text("faces in the collection10")
    shot(page, "people-forgotten")
    page.keyboard.press("Escape")
    expect(card(page, "Eileen Collins")).to_have_count(0)
    assert empty.get("/api/people")["people"] == []


def test_a_watch_is_added_tested_and_removed(
    show: Opener, empty: Up, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """Its receiver's address is stored and never shown again; what cannot be is said by the server."""
    enrolled(empty, "Grace Hopper", HOPPER)
    with Hook() as hook:
        page = show(f"{empty.api}/people#alerts")
        page.get_by_role("button", name="Add a watch").click()
        form = page.get_by_role("dialog")
        form.get_by_label("Tell me of").select_option("person")
        form.get_by_label("Who").select_option("Grace Hopper")
        form.get_by_label("Notify").fill("gopher://nowhere")
        form.get_by_role("button", name="Add", exact=True).click()
        expect(form.get_by_role("status")).to_contain_text("gopher")
        form.get_by_label("Notify").fill(f"{hook.url}?secret=abcdef")
        axe(page)
        form.get_by_role("button", name="Add", exact=True).click()
        watch = page.get_by_role("listitem").filter(has_text="Grace Hopper")
        expect(watch).to_contain_text("all cameras")
        watch.get_by_role("button", name="Test").click()
        expect(watch.get_by_role("status")).to_contain_text("200")
        assert "abcdef" not in page.content()
        axe(page)
        shot(page, "people-alerts")
        watch.get_by_role("button", name="Remove").click()
        watch.get_by_role("button", name="Really remove?").or_(watch.get_by_text("Really remove?")).first.click()
        expect(watch).to_have_count(0)
    assert empty.get("/api/watches")["watches"] == []


def test_the_log_says_who_did_what(show: Opener, empty: Up, axe: Callable[[Page], None]) -> None:
    enrolled(empty, "Grace Hopper", HOPPER)
    page = show(f"{empty.api}/people")
    page.get_by_role("tab", name="Log").click()
    row = page.get_by_role("row").filter(has_text="enrol").first
    expect(row).to_contain_text("this machine")
    expect(row).to_contain_text("Grace Hopper")
    axe(page)


def no_face() -> bytes:
    """Return a picture in which nobody is."""
    return cv2.imencode(".jpg", cv2.cvtColor(background(640, 480), cv2.COLOR_RGB2BGR))[1].tobytes()
