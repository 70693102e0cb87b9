"""The shell: who looks at any page for a second knows how it goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dashboard.pages import PATHS
from tests.conftest import wait_until
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


def test_a_phone_has_a_menu_of_all_pages(show: Opener, system: Up, axe: Callable[[Page], None]) -> None:
    """It says where one is, opens by a touch, and is gone once a page was chosen or Escape was pressed."""
    page = show(f"{system.api}/people", PHONE)
    menu, nav = page.locator("#menu"), page.get_by_role("navigation")
    expect(menu).to_have_text("People")
    expect(nav).to_be_hidden()
    menu.tap()
    expect(nav.get_by_role("link")).to_have_count(len(PATHS))
    axe(page)
    page.keyboard.press("Escape")
    expect(nav).to_be_hidden()
    menu.tap()
    nav.get_by_role("link", name="Attendance").tap()
    expect(menu).to_have_text("Attendance")
    expect(nav).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_skip_link_leads_to_the_page_and_opens_nothing_anew(show: Opener, system: Up) -> None:
    page = show(f"{system.api}/photo")
    page.locator("h1").evaluate("(title) => { title.isTheSame = true; }")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    assert page.locator("h1").evaluate("(title) => title.isTheSame")


def test_a_dialog_goes_with_its_page(show: Opener, system: Up) -> None:
    page = show(f"{system.api}/photo")
    page.get_by_role("link", name="Live").click()
    page.get_by_role("button", name="Add camera").click()
    page.go_back()
    expect(page.get_by_role("heading", name="Photo")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


COUNTED = """() => {
  window.left = { timers: new Set(), sockets: 0, urls: 0 };
  const { setInterval, clearInterval, WebSocket } = window;
  window.setInterval = (...rest) => { const id = setInterval(...rest); left.timers.add(id); return id; };
  window.clearInterval = (id) => { left.timers.delete(id); clearInterval(id); };
  window.WebSocket = class extends WebSocket {
    constructor(...rest) { super(...rest); left.sockets += 1; this.addEventListener("close", () => { left.sockets -= 1; }); }
  };
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (blob) => { left.urls += 1; return createObjectURL.call(URL, blob); };
  URL.revokeObjectURL = (url) => { left.urls -= url ? 1 : 0; revokeObjectURL.call(URL, url); };
}"""


def test_a_page_that_is_left_leaves_nothing_behind(show: Opener, system: Up) -> None:
    """However fast one goes from page to page: no timer, socket or picture, no second page, no other page's style."""
    page = show("about:blank")
    page.add_init_script(f"({COUNTED})()")
    page.goto(f"{system.api}/photo")
    begun = "() => ({ timers: left.timers.size, sockets: left.sockets, urls: left.urls })"
    page.locator(".tabs").wait_for()
    before = page.evaluate(begun)
    for pause in (0, 20, 200):
        page.evaluate(
            """async (pause) => {
              for (const path of ["/", "/latency", "/camera", "/photo", "/latency", "/", "/photo"]) {
                document.querySelector(`nav a[href="${path}"]`).click();
                document.querySelector(".photo-example")?.click();
                await new Promise((resolve) => setTimeout(resolve, pause));
              }
            }""",
            pause,
        )
    expect(page.locator("main > *")).to_have_count(2)
    expect(page.locator("main h1")).to_have_text("Photo")
    expect(page.locator("link[data-page][media=all]")).to_have_attribute("data-page", "photo")
    page.locator(".photo-timings").or_(page.locator(".photo-view.empty")).wait_for()
    shown = page.locator(".photo-frame img[src]").count()
    wait_until(lambda: page.evaluate(begun) == before | {"urls": shown})


def test_the_clock_is_the_server_s_however_late_its_first_word_comes(show: Opener, system: Up) -> None:
    page = show(system.api)
    off = page.evaluate(
        """async () => {
          const clock = await import("/static/core/clock.js?alone");
          const ahead = () => Date.now() / 1000 + 100;
          const steps = [ahead() - 2, ahead(), ahead() - 1].map((told) => (clock.heard(told), clock.now() - ahead()));
          clock.exchanged(clock.sent() - 0.2, ahead() - 0.1);
          return [...steps, clock.now() - ahead()];
        }"""
    )
    assert off == pytest.approx([-2, 0, 0, 0], abs=0.05)


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
