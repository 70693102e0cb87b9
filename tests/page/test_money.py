"""The page Money: the month in a sentence that is the API's, by operation and camera; the budget with its warning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.support import until
from tests.history.support import history_process, publish
from tests.page.conftest import PHONE, Opener
from tests.page.house import House


@pytest.fixture
def kept(house: House, tmp_path: Path) -> Iterator[House]:
    """A house whose two cameras asked AWS thirty times, and the local server ten times."""
    house.put("door", "yard")
    for number in range(40):
        provider = "local" if number % 4 == 0 else "aws us-east-1"
        publish(house.broker, "door" if number < 30 else "yard", at=house.now() - number, provider=provider)
    with history_process(house.broker, tmp_path / "data"):
        until(lambda: house.api.http.get("/api/money").json().get("calls") == 40)
        yield house


def test_the_month_and_its_parts_are_what_the_api_tells(
    show: Opener, kept: House, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    page = show(f"{kept.api.url}/money")
    told = kept.api.get("/api/money")
    assert told["dollars"] == pytest.approx(0.03)
    expect(page.locator(".headline")).to_contain_text("This month cost 0.03 $ so far")
    expect(page.get_by_text("40 calls; 40 are paid for: 0.03 $ paid; what was free would have cost 0.01 $.")).to_be_visible()
    paid, free = (page.get_by_role("row").filter(has_text=f"DetectFaces, {name}") for name in ("aws us-east-1", "local"))
    expect(paid).to_contain_text("30 calls · 0.03 $")
    expect(free).to_contain_text("10 calls · 0.01 $ on AWS")
    expect(page.get_by_role("row").filter(has_text="door").first).to_contain_text("30 calls")
    page.get_by_text("The prices that this was counted with").click()
    prices = page.get_by_role("region", name="Prices")
    for step in told["prices"][0]["steps"]:
        expect(prices.get_by_role("row").filter(has_text=f"{step['calls_from']:,}").first).to_be_visible()
    axe(page)
    shot(page, "money")
    page.get_by_label("camera", exact=True).select_option("yard")
    expect(page.locator(".totals")).to_contain_text("10 calls;")


def test_a_budget_that_is_nearly_spent_is_warned_of(show: Opener, kept: House) -> None:
    """From 80 % on, and red when calls are held back."""
    page = show(f"{kept.api.url}/money")
    expect(page.get_by_text("No budget counts here")).to_be_visible()
    levels = page.evaluate(
        """async () => {
          const { budgetCard } = await import("/static/pages/money/budget.js");
          const card = budgetCard();
          const rest = { end: 1795000000, limit_dollars: 10, not_by_camera_dollars: 0, spent_at: null };
          return [7.9, 8, 10].map((spent) => {
            card.update({ ...rest, spent_dollars: spent });
            return card.element.querySelector(".badge").className;
          });
        }"""
    )
    assert levels == ["badge good", "badge warn", "badge bad"]


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark")])
def test_it_fits_a_phone(
    size: tuple[int, int],
    scheme: str,
    show: Opener,
    kept: House,
    axe: Callable[[Page], None],
    shot: Callable[[Page, str], Path],
) -> None:
    page = show(f"{kept.api.url}/money", size, scheme)
    expect(page.locator(".headline")).to_contain_text("This month cost")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    axe(page)
    shot(page, f"money-{size[0]}-{scheme}")
