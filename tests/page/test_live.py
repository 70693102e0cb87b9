"""Live: what the cameras see, how old that is, and everything one does with cameras."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.entities import CameraState
from tests.conftest import Valkey
from tests.dashboard.support import Producer, Worker, dashboard, picture, until
from tests.page.conftest import PHONE, Opener
from tests.page.house import House
from tests.rekstream.running import Up

SLOW = 25_000  # milliseconds for what another process has to begin with, on a busy machine
AGE = r"\d+\.\d s"
SMALL = picture(width=320, height=180)
PASSWORD = "s3cr3t-pass"
# a canvas that shows something has pixels of different colours
COLOURS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(Array.from({ length: 200 }, (_, n) => data[4 * Math.floor((n * data.length) / 800)])).size;
}"""


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=f"camera {name}", exact=True)


def opened(page: Page, name: str) -> Locator:
    tile(page, name).get_by_role("button", name="open in full size").click()
    return page.get_by_role("dialog")


def test_a_tile_shows_the_picture_the_faces_and_how_old_they_are(
    show: Opener, system: Up, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """And when results were painted is told to the server."""
    page = show(system.api)
    demo = tile(page, "demo")
    expect(demo.locator(".ages .badge").first).to_have_text(re.compile(f"^{AGE}$"))
    expect(demo.locator(".ages .badge").last).to_have_text(re.compile(rf"^(\d faces?|unknown, .*) · {AGE}$"))
    expect(demo).to_contain_text("live")
    expect(demo).to_contain_text(re.compile(r"sampled[1-9][\d.]*/scalls[\d.]+/ssaved[\d.]+/s"))
    until(lambda: demo.locator("canvas").evaluate(COLOURS) > 20)
    assert page.evaluate("document.documentElement.scrollWidth <= visualViewport.width")
    system.until(lambda: system.get("/api/stats")["display"]["p50"])
    axe(page)
    shot(page, "live-desktop-light")


def test_the_detail_tells_all_of_the_newest_result(
    show: Opener, system: Up, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """Attributes in words, the raw response, the last results; a click on one of those holds it."""
    page = show(system.api, scheme="dark")
    detail = opened(page, "demo")
    expect(detail.locator(".attributes").first).to_contain_text("gender")
    expect(detail.locator(".attributes").first).to_contain_text("emotions")
    expect(detail.locator(".ages")).to_have_text(re.compile(rf"(faces?|visit.*) · {AGE}"))
    until(lambda: detail.locator("canvas").evaluate(COLOURS) > 20)
    detail.get_by_label("Landmarks").check()
    detail.get_by_text("Raw response").click()
    expect(detail.locator("pre")).to_contain_text('"FaceDetails"')
    entries = detail.get_by_role("group", name="The last results").get_by_role("button")
    expect(entries.nth(5)).to_be_visible()
    entries.nth(3).click()
    held = detail.locator("pre").inner_text()
    system.fresh_result("demo")
    assert detail.locator("pre").inner_text() == held
    detail.get_by_role("button", name="Follow the newest").click()
    expect(detail.locator("pre")).not_to_have_text(held)
    axe(page)
    shot(page, "live-detail-dark")
    page.keyboard.press("Escape")
    expect(detail).to_have_count(0)
    expect(page).to_have_url(re.compile("/$"))


def test_a_camera_is_checked_added_changed_paused_and_removed(
    show: Opener, system: Up, shot: Callable[[Page, str], Path], axe: Callable[[Page], None]
) -> None:
    """A check says what is wrong, or shows what is there; removing is asked once."""
    page = show(system.api)
    page.get_by_role("button", name="Add camera").click()
    form = page.get_by_role("dialog")
    form.get_by_label("URL", exact=True).fill("gopher://10.0.0.7/")
    form.get_by_role("button", name="Check").click()
    expect(form.get_by_role("status")).to_contain_text("starts with gopher://")
    form.get_by_label("URL", exact=True).fill("rtsp://admin:x@127.0.0.1:1/main")
    form.get_by_role("button", name="Check").click()
    expect(form.get_by_role("status")).to_contain_text("rtsp://admin:***@127.0.0.1:1/main", timeout=SLOW)
    form.get_by_role("button", name="demo", exact=True).click()
    form.get_by_role("button", name="Check").click()
    expect(form.get_by_role("status")).to_contain_text("1280 x 720", timeout=SLOW)
    expect(form.get_by_role("img")).to_be_visible()
    axe(page)
    shot(page, "live-add")
    form.get_by_label("Name").fill("second")
    form.get_by_label("Frames a second").fill("2")
    form.get_by_role("button", name="Add", exact=True).click()
    second = tile(page, "second")
    expect(second.locator(".ages .badge").first).to_have_text(re.compile(AGE), timeout=SLOW)
    second.get_by_role("button", name="Change second").click()
    form.get_by_label("Frames a second").fill("1")
    form.get_by_label("Attributes").select_option("chosen")
    form.get_by_label("smile").check()
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    changed = system.camera("second")
    assert (changed["fps"], changed["attributes"]) == (1.0, ["SMILE"])
    second.get_by_role("button", name="Pause second").click()
    expect(second.get_by_text("paused", exact=True)).to_be_visible()
    second.get_by_role("button", name="Resume second").click()
    expect(second.get_by_role("button", name="Pause second")).to_be_visible()
    second.get_by_role("button", name="Change second").click()
    form.get_by_role("button", name="Remove").click()
    expect(second).to_be_visible()
    form.get_by_role("button", name="Really remove second?").click()
    expect(second).to_have_count(0)


def test_a_password_goes_in_and_never_comes_out(show: Opener, house: House) -> None:
    """Another change keeps it; the export has a variable in its place."""
    house.api.http.post("/api/cameras", json={"id": "door", "url": f"rtsp://admin:{PASSWORD}@10.0.0.7/main"})
    page = show(house.api.url)
    tile(page, "door").get_by_role("button", name="Change door").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("URL", exact=True)).to_have_value("rtsp://admin:***@10.0.0.7/main")
    form.get_by_label("URL", exact=True).fill("rtsp://admin:***@10.0.0.7/sub")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    assert house.registry.get("door").url == f"rtsp://admin:{PASSWORD}@10.0.0.7/sub"
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as rekstream.yml").click()
    assert download.value.suggested_filename == "rekstream.yml"
    text = download.value.path().read_text()
    assert "${DOOR_PASSWORD}" in text
    assert PASSWORD not in text + page.content()


def test_an_old_picture_is_never_shown_as_if_it_were_new(show: Opener, house: House, shot: Callable[[Page, str], Path]) -> None:
    """Dimmed with its age after three seconds, covered by the state's sentence after ten."""
    house.put("late", "gone", "fresh")
    house.put("silent", state=CameraState.UNAUTHORIZED, message="rtsp://10.0.0.7/x asks for another password: correct it")
    page = show(house.api.url)
    for name, age in (("late", 5.0), ("gone", 12.0), ("fresh", 0.0)):
        house.show(name, age)
    late, gone, fresh, silent = (tile(page, name) for name in ("late", "gone", "fresh", "silent"))
    expect(fresh.locator(".badge.good.on-picture")).to_be_visible()
    expect(late).to_contain_text(re.compile(f"Last picture {AGE} ago"))
    expect(late.locator(".badge.bad.on-picture")).to_be_visible()
    assert late.locator("canvas").evaluate("(canvas) => getComputedStyle(canvas).opacity") == "0.4"
    expect(gone.locator("canvas")).to_be_hidden()
    expect(gone).to_contain_text(re.compile(r"It sends no picture\. The last picture came 1\d\.\d s ago"))
    expect(silent.locator("canvas")).to_be_hidden()
    expect(silent).to_contain_text("asks for another password: correct it")
    shot(page, "live-stale")


def test_boxes_fade_on_newer_pictures_and_stay_on_their_own(show: Opener, house: House) -> None:
    """What is drawn on an analysed picture is its own; previews get the newest result's, while those are fresh."""
    house.put("door")
    page = show(house.api.url)
    with Worker(house.broker) as worker:
        Producer(house.broker, "door").offer(picture())
        worker.wait_for(1)
    faces = tile(page, "door").locator(".ages .badge").last
    expect(faces).to_have_text(re.compile(f"1 face · {AGE}"))
    before = until(lambda: (count := white_pixels(page)) > 20 and count)
    until(lambda: house.show("door") is None and white_pixels(page) < before / 2)
    expect(faces).to_have_class(re.compile("warn|bad"))


def white_pixels(page: Page) -> int:
    """Count the pixels that only a box can have made: the picture itself is noise in grey and colour."""
    count = page.locator(".tile canvas").evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let white = 0;
          for (let n = 0; n < data.length; n += 4) white += data[n] > 250 && data[n + 1] > 250 && data[n + 2] > 250;
          return white;
        }"""
    )
    return int(count)


def test_it_says_when_the_server_is_away_and_comes_back_by_itself(
    show: Opener, session_valkey: Valkey, broker: Broker, settings: DashboardSettings
) -> None:
    """Within two seconds; the picture's age goes on meanwhile, and new pictures come without a reload."""
    with dashboard(session_valkey.url, settings) as api:
        house = House(broker, api)
        house.put("door")
        page = show(api.url)
        house.show("door")
        badge = tile(page, "door").locator(".ages .badge").first
        expect(badge).to_have_text(re.compile(r"^0\.\d s$"))
        port = int(api.url.rpartition(":")[2])
    stopped = time.monotonic()
    expect(page.get_by_role("alert")).to_contain_text("rekstream does not answer")
    assert time.monotonic() - stopped < 6
    expect(badge).to_have_class(re.compile("warn"))
    with dashboard(session_valkey.url, replace(settings, port=port)) as again:
        house = House(broker, again)
        expect(page.get_by_role("alert")).to_have_count(0)
        house.show("door")
        expect(badge).to_have_class(re.compile("good"))


def test_only_what_is_in_sight_is_watched(show: Opener, house: House, shot: Callable[[Page, str], Path]) -> None:
    """Forty cameras cost what one sees of them; a hidden tab costs nothing."""
    names = [f"camera-{number:02}" for number in range(40)]
    house.put(*names)
    page = show(house.api.url, PHONE)
    until(lambda: house.is_watched(names[0]))
    assert not house.is_watched(names[-1])
    assert page.evaluate("document.documentElement.scrollWidth <= visualViewport.width")
    tile(page, names[-1]).scroll_into_view_if_needed()
    until(lambda: house.is_watched(names[-1]) and not house.is_watched(names[0]))
    house.show(names[-1])
    shot(page, "live-phone")
    page.evaluate(
        """Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
           document.dispatchEvent(new Event("visibilitychange"))"""
    )
    until(lambda: not any(house.is_watched(name) for name in names))


def test_everything_is_reached_by_keyboard(show: Opener, house: House) -> None:
    """Enter opens a tile, arrow keys go from camera to camera, Escape leads back to the tile."""
    house.put("back", "front")
    page = show(house.api.url)
    view = tile(page, "back").get_by_role("button", name="open in full size")
    expect(view).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if view.evaluate("(button) => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    detail = page.get_by_role("dialog")
    expect(detail).to_have_attribute("aria-label", "camera back")
    page.keyboard.press("ArrowRight")
    expect(detail).to_have_attribute("aria-label", "camera front")
    page.keyboard.press("ArrowRight")
    expect(detail).to_have_attribute("aria-label", "camera back")
    page.keyboard.press("Escape")
    expect(detail).to_have_count(0)
    expect(view).to_be_focused()


def test_a_camera_s_own_address_opens_it(show: Opener, house: House) -> None:
    """A face below what Rekognition promises is said to be too small."""
    house.put("door")
    result = house.api.http.get("/api/cameras").json()
    assert result["cameras"][0]["id"] == "door"
    page = show(f"{house.api.url}/#camera=door")
    detail = page.get_by_role("dialog")
    expect(detail).to_have_attribute("aria-label", "camera door")
    with Worker(house.broker) as worker:
        Producer(house.broker, "door").offer(picture())
        worker.wait_for(1)
    expect(detail.locator(".attributes")).to_contain_text("288 px")


def test_without_cameras_it_says_what_to_do(show: Opener, house: House, axe: Callable[[Page], None]) -> None:
    """The demo is one click away."""
    page = show(house.api.url)
    page.get_by_role("button", name="Try the demo").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("URL", exact=True)).to_have_value("demo")
    axe(page)
    form.get_by_role("button", name="Add", exact=True).dblclick()
    expect(tile(page, "demo")).to_contain_text("rekstream produce")
    expect(page.get_by_role("article")).to_have_count(1)


def test_what_happened_is_listed(show: Opener, house: House) -> None:
    """The newest first, also what comes while one looks."""
    house.put("door")
    page = show(house.api.url)
    tile(page, "door").get_by_role("button", name="Pause door").click()
    log = page.get_by_role("log")
    expect(log).to_contain_text("door")


def test_the_page_is_small(show: Opener, system: Up) -> None:
    """What a first look loads, before anything is opened, is 100 KB at most."""
    page = show(system.api)
    expect(tile(page, "demo").locator(".ages .badge").first).to_have_text(re.compile(AGE))
    files = page.evaluate(
        "performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.includes('/static/'))"
    )
    shell = len(page.context.request.get(system.api).body())
    assert shell + sum(len(page.context.request.get(url).body()) for url in files) <= 100 * 1024
    assert any("/pages/live.js" in url for url in files)
    assert not any("/detail.js" in url for url in files)
