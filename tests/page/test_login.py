"""The login as people meet it: a page that asks, says when the password is wrong, and leads where one wanted to go."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.passwords import PasswordHash
from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from tests.conftest import Valkey
from tests.dashboard.support import LOCAL, Api, dashboard, until
from tests.page.conftest import PHONE, Opener


@pytest.fixture
def locked(session_valkey: Valkey, broker: Broker, tmp_path: Path) -> Iterator[Api]:
    """The real API behind a password, with no camera."""
    settings = DashboardSettings(data=tmp_path / "data", provider=LOCAL, port=0)
    with dashboard(session_valkey.url, dataclasses.replace(settings, password=PasswordHash.of("open sesame"))) as running:
        yield running


def sign_in(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_one_signs_in_goes_where_one_wanted_and_signs_out(
    locked: Api, show: Opener, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    page = show(f"{locked.url}/latency")
    expect(page).to_have_url(f"{locked.url}/login?next=/latency")
    expect(page.get_by_label("Password")).to_be_focused()
    axe(page)
    shot(page, "login-desktop-light")
    sign_in(page, "open sesam")
    expect(page.get_by_role("alert")).to_have_text("that is not the password")
    sign_in(page, "open sesame")
    expect(page).to_have_url(f"{locked.url}/latency")
    assert page.evaluate("document.cookie") == ""  # the session's cookie is not for scripts
    with page.expect_response("**/api/session"):
        page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{locked.url}/login")
    page.goto(f"{locked.url}/")
    expect(page).to_have_url(f"{locked.url}/login?next=/")


def test_the_login_leads_to_no_other_place(locked: Api, show: Opener, shot: Callable[[Page, str], Path]) -> None:
    """An address that somebody made up may not send people elsewhere once they signed in."""
    page = show(f"{locked.url}/login", PHONE, "dark")
    shot(page, "login-phone-dark")
    tricks = ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/login")
    for number, trick in enumerate(tricks):
        page.goto(f"{locked.url}/login?next={trick}")
        if number == 0:
            sign_in(page, "open sesame")
        expect(page).to_have_url(f"{locked.url}/")


def test_a_page_whose_session_ended_elsewhere_asks_again(locked: Api, show: Opener) -> None:
    page = show(f"{locked.url}/login")
    sign_in(page, "open sesame")
    expect(page).to_have_url(f"{locked.url}/")
    expect(page.locator("#vitals")).to_contain_text("LOCAL")
    until(lambda: page.evaluate("[...document.styleSheets].some((sheet) => sheet.href.endsWith('/live.css'))"))
    page.request.delete(f"{locked.url}/api/session", headers={"X-Rekstream": "1"})
    expect(page).to_have_url(f"{locked.url}/login?next=%2F")
