"""The Latency page: one sentence that adds up, charts, the worst frame, what if, and a rehearsal that nobody takes for real."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import wait_until
from tests.page.conftest import PHONE, Opener
from tests.rekstream.running import Up


@pytest.fixture
def latency(show: Opener, system: Up) -> Page:
    page = show(f"{system.api}/latency")
    expect(page.locator(".sentence")).to_contain_text("A picture is")
    return page


@pytest.fixture
def real(system: Up) -> Iterator[None]:
    """Whatever was rehearsed is over after the test."""
    yield
    httpx.put(f"{system.api}/api/rehearsal", json={"off": True}).raise_for_status()


def seconds(text: str) -> float:
    value, unit = text.split()
    return float(value) * {"s": 1.0, "ms": 0.001}[unit]


def test_the_sentence_adds_up_with_the_bar_and_the_table(latency: Page) -> None:
    """The stages' averages together are the age that the sentence tells, and the bar shows their shares."""
    told = latency.evaluate(
        """() => ({
            sentence: document.querySelector(".sentence").textContent,
            rows: [...document.querySelectorAll(".stages tbody tr")].map((row) => row.cells[1].textContent),
            widths: [...document.querySelector(".stagebar").children].map((part) => parseFloat(part.style.width)),
            slow: [...document.querySelectorAll(".stages tbody tr")].map((row) => row.cells[2].textContent),
        })"""
    )
    found = re.search(r"A picture is (\S+ s) old when .*; (\d+) % of that is the (\w+)", told["sentence"])
    assert found
    *stages, total = [seconds(text) if text[0].isdigit() else 0.0 for text in told["rows"]]
    assert sum(stages) == pytest.approx(total, abs=0.02)
    assert seconds(found[1]) == pytest.approx(total, abs=0.006)
    assert max(stages) / total == pytest.approx(int(found[2]) / 100, abs=0.03)
    longest = max(total, seconds(told["slow"][-1]))
    assert sum(told["widths"]) == pytest.approx(100 * total / longest, abs=4)


def test_the_books_add_up_and_say_so(latency: Page) -> None:
    expect(latency.get_by_text("✓ adds up")).to_be_visible()
    numbers = latency.evaluate(
        """() => [...document.querySelectorAll(".equation b")].map((one) => Number(one.textContent.replaceAll(",", "")))"""
    )
    assert numbers[0] == sum(numbers[1:]) > 0
    expect(latency.locator("section", has_text="Workers").locator("tbody tr")).to_have_count(1)


def test_charts_are_drawn_and_read_by_keyboard_and_as_a_table(latency: Page) -> None:
    chart = latency.locator(".chart", has=latency.get_by_role("heading", name="Age of a result"))
    chart.scroll_into_view_if_needed()
    wait_until(lambda: len(chart.locator(".line").first.get_attribute("d") or "") > 20, 30)
    assert chart.locator(".line.floor").count() == 1
    slider = chart.get_by_role("slider")
    slider.focus()
    latency.keyboard.press("ArrowLeft")
    before = slider.get_attribute("aria-valuetext") or ""
    assert re.match(r"\d\d:\d\d:\d\d: p50 \d.* p95 \d", before)
    latency.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") != before
    expect(chart.locator(".cursor line")).to_have_count(1)
    chart.get_by_text("as a table").click()
    wait_until(lambda: chart.locator("tbody tr").count() > 5)
    with latency.expect_request(re.compile(r"/api/charts/age\?range=5m&camera=demo")):
        latency.get_by_label("camera", exact=True).select_option("demo")
        latency.get_by_role("button", name="5 min", exact=True).click()


def test_the_worst_frame_is_shown_with_its_picture_stages_and_worker(
    latency: Page, axe: Callable[[Page], None], shot: Callable[[Page, str], Path]
) -> None:
    latency.get_by_role("heading", name="The worst frames of the hour").scroll_into_view_if_needed()
    latency.locator(".tile", has=latency.locator("img")).first.click()  # the picture of a camera that is gone went with it
    dialog = latency.get_by_role("dialog")
    expect(dialog).to_contain_text("old when its result came out")
    for word in ("host", "worker", "service", "answered by"):
        expect(dialog.get_by_text(word, exact=True)).to_be_visible()
    is_drawn = "(canvas) => canvas.getContext('2d').getImageData(9, 9, 1, 1).data[3] === 255"
    wait_until(lambda: dialog.locator("canvas").evaluate(is_drawn))
    axe(latency)
    shot(latency, "latency-worst")
    latency.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_what_if_tells_what_each_change_would_bring(latency: Page) -> None:
    latency.get_by_role("heading", name="What if").scroll_into_view_if_needed()
    card = latency.locator(".option", has_text="Half the frames")
    expect(card).to_be_visible(timeout=30_000)
    expect(card.locator("tbody tr", has_text="results")).to_contain_text("→")
    expect(latency.get_by_text(re.compile("reproduces what is measured now within"))).to_be_visible()


def test_a_rehearsal_is_begun_shown_marked_and_ended(latency: Page, real: None, axe: Callable[[Page], None]) -> None:
    """Nobody takes it for real: the header, the sentence and a mark in the charts say so."""
    latency.get_by_role("button", name="a slow service").click()
    expect(latency.locator("#vitals")).to_contain_text("REHEARSAL")
    expect(latency.locator(".sentence")).to_contain_text("rehearsed: not real")
    expect(latency.locator(".rehearse .state")).to_contain_text("0.6 s are added to each call")
    axe(latency)
    latency.get_by_role("button", name="Stop rehearsing").click()
    expect(latency.locator("#vitals")).not_to_contain_text("REHEARSAL")
    expect(latency.get_by_role("button", name="Stop rehearsing")).to_be_hidden()
    latency.get_by_role("heading", name="Over time").scroll_into_view_if_needed()
    wait_until(lambda: latency.locator(".chart .marks line").count() > 0)


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark")])
def test_it_fits_a_phone(
    size: tuple[int, int], scheme: str, show: Opener, system: Up, axe: Callable[[Page], None], shot: Callable[[Page, str], Path]
) -> None:
    page = show(f"{system.api}/latency", size, scheme)
    expect(page.locator(".sentence")).to_contain_text("A picture is")
    expect(page.locator(".charts").first.locator(".chart")).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    axe(page)
    shot(page, f"latency-{size[0]}-{scheme}")
