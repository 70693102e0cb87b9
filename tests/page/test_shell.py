"""The shell: who looks at any page for a second knows how it goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dashboard.pages import PATHS
from tests.page.conftest import PHONE, Opener
from tests.rekstream.running import Up


@pytest.mark.parametrize("path", PATHS)
def test_each_page_opens_by_its_address_with_the_vital_signs(
    path: str, show: Opener, system: Up, axe: Callable[[Page], None]
) -> None:
    page = show(system.api + path)
    vitals = page.locator("#vitals")
    expect(vitals).to_contain_text("LOCAL, 0 $")
    expect(vitals).to_contain_text("1 of 1 live")
    expect(page.locator("nav [aria-current=page]")).to_have_count(1)
    axe(page)


def test_pages_change_without_a_reload_and_the_way_back_works(show: Opener, system: Up) -> None:
    page = show(system.api)
    page.evaluate("window.isTheSame = true")
    page.get_by_role("link", name="Latency").click()
    expect(page).to_have_title("Latency · rekstream")
    page.go_back()
    expect(page).to_have_title("Live · rekstream")
    assert page.evaluate("window.isTheSame")


def test_light_or_dark_is_chosen_and_kept(show: Opener, system: Up) -> None:
    page = show(system.api, PHONE, "dark")
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_nothing_is_asked_of_any_other_machine(show: Opener, system: Up) -> None:
    page = show(system.api)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.locator("#vitals")).to_contain_text("LOCAL")
    assert [url for url in asked if not url.startswith((system.api, "blob:", "data:"))] == []
