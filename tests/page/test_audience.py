"""The page Audience: a made-up hall with known laughs, as people read it; a show from its start to a disputed receipt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from history.audience_tables import shows
from history.process import HistoryProcess
from tests.dashboard.support import until
from tests.history.support import history_process
from tests.history.test_audience import hall
from tests.page.conftest import PHONE, Opener
from tests.page.house import House


@pytest.fixture
def history(house: House, tmp_path: Path) -> Iterator[HistoryProcess]:
    """A real history process beside the house, which has a camera."""
    house.put("stage")
    with history_process(house.broker, tmp_path / "data") as process:
        until(lambda: house.api.http.get("/api/audience").is_success)
        yield process


@pytest.fixture
def kept(house: House, history: HistoryProcess) -> House:
    return house


def laughed(house: House, count: int = 3, ago: float = 50.0) -> None:
    """Let the hall have been `ago` seconds ago: three laughs, each of which is in the database then."""
    hall(house.broker, since=house.now() - ago)
    until(lambda: house.api.get("/api/audience")["totals"]["laughs"] == count)


def test_it_tells_how_many_how_attentive_and_each_laugh(
    show: Opener, kept: House, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """Figures, charts and bars say what the API says; laughs are read one after the other by keyboard."""
    laughed(kept)
    told = kept.api.get("/api/audience")
    page = show(f"{kept.api.url}/audience")
    expect(page.get_by_text("2 faces came")).to_contain_text("3 laughs were seen")
    laughs = page.get_by_role("slider", name="Laughs: go from one to the next")
    laughs.focus()
    for laugh in told["laughs"]:
        page.keyboard.press("ArrowLeft")
        words = laughs.get_attribute("aria-valuetext") or ""
        assert f"stage · {laugh['end'] - laugh['start']:.1f} s long · peak {round(laugh['peak'] * 100)} %" in words
    for name in ("People there", "Attention and smiles", "Laughs", "Emotions"):
        expect(
            page.locator(".chart", has=page.get_by_role("heading", name=name, exact=True)).locator("svg path").first
        ).to_be_attached()
    expect(page.get_by_role("row", name=re.compile("women 50 % · 1"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("65 and older 1"))).to_be_visible()
    axe(page)
    shot(page, "audience")
    page.get_by_label("camera", exact=True).select_option("stage")
    with page.expect_request(re.compile(r"/api/audience\?since=[\d.]+&camera=stage")):
        page.get_by_role("button", name="1 day").click()
    expect(page.get_by_role("button", name="1 day")).to_have_attribute("aria-pressed", "true")


def test_a_show_is_started_stopped_and_a_laugh_of_its_receipt_disputed(
    show: Opener, kept: House, history: HistoryProcess, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """The amount is what the counted laughs come to, before and after one was disputed."""
    page = show(f"{kept.api.url}/audience#shows")
    expect(page.get_by_text("There was no show yet")).to_be_visible()
    page.get_by_role("button", name="Start a show").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Late, and live")
    form.get_by_label("stage").check()
    form.get_by_label("Price of a laugh").fill("0.3")
    form.get_by_label("Currency").fill("eur")
    axe(page)
    form.get_by_role("button", name="Start").click()
    card = page.get_by_role("listitem").filter(has_text="Late, and live")
    expect(card).to_contain_text("running")
    with history.database.writing() as connection:  # a minute passes
        connection.execute(update(shows).values(started_at=shows.c.started_at - 60))
    laughed(kept)
    expect(card).to_contain_text("3 laughs · €0.90")
    (running,) = kept.api.get("/api/shows")["shows"]
    assert running["cameras"] == ["stage"]
    card.get_by_role("button", name="Stop").click()
    receipt = page.get_by_role("dialog", name="Late, and live")
    expect(receipt.locator(".amount")).to_have_text("3 laughs\u00d7 €0.30 =€0.90")
    axe(page)
    shot(page, "audience-receipt")
    receipt.get_by_role("button", name=re.compile("Look at the laugh")).first.click()
    trace = page.get_by_role("dialog", name=re.compile("A laugh at"))
    expect(trace.locator(".chart .line")).to_have_count(7)
    axe(page)
    shot(page, "audience-trace")
    trace.get_by_role("button", name="Dispute").click()
    expect(receipt.locator(".amount")).to_have_text("2 laughs\u00d7 €0.30 =€0.601 disputed, not counted")
    assert kept.api.get(f"/api/shows/{running['id']}")["laughs"]["counted"] == 2
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Delete").click()
    card.get_by_role("button", name="Really delete it").click()
    expect(page.get_by_text("There was no show yet")).to_be_visible()
    assert kept.api.get("/api/audience")["totals"]["laughs"] == 0


def test_without_the_history_it_says_so(show: Opener, house: House) -> None:
    page = show(f"{house.api.url}/audience")
    expect(page.locator("main").get_by_role("status")).to_contain_text("history")


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark")])
def test_it_fits_a_phone(
    size: tuple[int, int],
    scheme: str,
    show: Opener,
    kept: House,
    axe: Callable[[Page], None],
    shot: Callable[[Page, str], Path],
) -> None:
    laughed(kept)
    page = show(f"{kept.api.url}/audience", size, scheme)
    expect(page.get_by_text("2 faces came")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    axe(page)
    shot(page, f"audience-{size[0]}-{scheme}")
