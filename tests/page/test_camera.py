"""Your camera: a browser is a camera like any other, and sees what was found in its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import PHONE, Opener
from tests.rekstream.running import Up

SIZE_OF_CANVAS = "() => { const c = document.querySelector('.stage canvas'); return c.getContext('2d')"
IS_DRAWN = SIZE_OF_CANVAS + ".getImageData(0, 0, c.width, c.height).data.some((value) => value > 0); }"


@pytest.fixture
def own(show: Opener, system: Up) -> Iterator[Callable[..., Page]]:
    """Opens the page and makes a camera of it."""

    def begin(*window: object, name: str = "webcam") -> Page:
        page = show(f"{system.api}/camera", *window)  # type: ignore[arg-type]  # as `show` takes them
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Use this device's camera").click()
        return page

    yield begin
    for context in show.contexts:
        context.close()
    show.contexts.clear()
    system.until(lambda: cameras(system) == ["demo"])


def cameras(system: Up) -> list[str]:
    return [camera["id"] for camera in system.get("/api/cameras")["cameras"]]


def test_it_sees_its_faces_with_their_age(
    own: Callable[..., Page], system: Up, axe: Callable[[Page], None], shot: Callable[[Page, str], Path]
) -> None:
    page = own()
    expect(page.locator(".moods h2").first).to_contain_text("smiles")
    page.wait_for_function(IS_DRAWN)
    expect(page.locator(".stage .badge")).to_contain_text("from lens to screen")
    expect(page.locator(".stage .badge.bad")).to_have_count(0)
    expect(page.locator(".state")).to_have_text("others see this camera on the page Live as webcam, 2 pictures a second")
    result = system.fresh_result("webcam")
    assert (result["width"], result["height"]) == (1280, 720)
    assert result["age_seconds"] < 3
    axe(page)
    shot(page, "camera")


def test_the_analysed_picture_can_be_shown_a_mirror_with_its_boxes_turned_along(
    own: Callable[..., Page], system: Up, shot: Callable[[Page, str], Path]
) -> None:
    """The fake webcam tells no side, as laptops do: it is taken for one that looks at its user."""
    page = own(name="Front desk")
    page.get_by_label("The picture that was analysed").check()
    page.wait_for_function(
        SIZE_OF_CANVAS + ".getImageData(0, c.height / 2, c.width, 1).data.every((v, i) => i % 4 < 3 || v); }"
    )
    shot(page, "camera-analysed")
    expect(page.locator("video.mirror")).to_be_visible()
    result = system.fresh_result("front-desk")
    box = result["FaceDetails"][0]["BoundingBox"]
    left = page.evaluate(
        "(result) => import('/static/pages/camera/stage.js').then((m) => m.mirrored(result).FaceDetails[0].BoundingBox.Left)",
        result,
    )
    assert left == pytest.approx(1 - box["Left"] - box["Width"])


def test_its_frames_are_accounted_for_and_it_goes_when_it_is_stopped(own: Callable[..., Page], system: Up) -> None:
    page = own()
    system.fresh_result("webcam")
    frames = system.get("/api/stats")["cameras"]["webcam"]["frames"]
    ended = frames["analysed"] + frames["superseded"] + sum(frames["dropped"].values()) + sum(frames["failed"].values())
    assert frames["sampled"] == ended + frames["in_flight"] > 0
    page.get_by_role("button", name="Stop").click()
    system.until(lambda: cameras(system) == ["demo"])
    expect(page.locator(".state")).to_have_text("stopped")
    assert page.evaluate("document.querySelector('video')?.srcObject ?? null") is None
    page.get_by_role("button", name="Use this device's camera").click()
    system.fresh_result("webcam")
    page.get_by_role("link", name="Latency").click()
    system.until(lambda: cameras(system) == ["demo"])


def test_a_page_that_is_left_while_its_camera_opens_has_none(show: Opener, system: Up) -> None:
    page = show(f"{system.api}/camera")
    page.locator(".start button").wait_for()
    page.evaluate(
        """() => {
          const { getUserMedia } = MediaDevices.prototype;
          navigator.mediaDevices.getUserMedia = async (...rest) => {
            while (!document.querySelector(".tabs")) await new Promise(requestAnimationFrame); // of the page Photo
            return (window.stream = await getUserMedia.apply(navigator.mediaDevices, rest));
          };
          document.querySelector(".start button").click();
          document.querySelector('nav a[href="/photo"]').click();
        }"""
    )
    page.wait_for_function("() => window.stream?.getTracks().every((track) => track.readyState === 'ended')")
    system.until(lambda: cameras(system) == ["demo"])


def test_two_pages_are_two_cameras(own: Callable[..., Page], system: Up) -> None:
    for _ in range(2):
        own()
    system.until(lambda: cameras(system) == ["demo", "webcam", "webcam-2"])
    system.fresh_result("webcam")
    system.fresh_result("webcam-2")


def test_it_comes_back_by_itself_when_the_dashboard_was_killed(own: Callable[..., Page], system: Up) -> None:
    """Under its name: the page is known by its key."""
    page = own()
    system.fresh_result("webcam")
    system.part("dashboard").kill()
    expect(page.locator(".state.error")).to_contain_text("Trying again by itself")
    expect(page.locator(".state")).to_contain_text("others see this camera on the page Live as webcam", timeout=30_000)
    system.fresh_result("webcam")
    assert cameras(system) == ["demo", "webcam"]


def test_what_people_do_to_it_on_live_is_said(own: Callable[..., Page], system: Up) -> None:
    page = own()
    system.fresh_result("webcam")
    httpx.patch(f"{system.api}/api/cameras/webcam", json={"paused": True}).raise_for_status()
    expect(page.locator(".state")).to_have_text("paused by somebody on the page Live")
    httpx.patch(f"{system.api}/api/cameras/webcam", json={"paused": False, "fps": 3}).raise_for_status()
    expect(page.locator(".state")).to_contain_text("3 pictures a second")
    httpx.delete(f"{system.api}/api/cameras/webcam").raise_for_status()
    expect(page.locator(".state.error")).to_have_text("camera 'webcam' was removed")
    expect(page.get_by_role("button", name="Use this device's camera")).to_be_enabled()


def test_a_hidden_tab_sends_nothing_and_says_so(own: Callable[..., Page], system: Up) -> None:
    page = own()
    system.fresh_result("webcam")
    page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', { get: () => window.isAway }); window.isAway = true;"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    expect(page.locator(".state")).to_contain_text("paused: this tab is hidden")
    system.until(lambda: system.state("webcam") == "stalled")
    assert "bring its tab to the front" in system.camera("webcam")["status"]["message"]
    page.evaluate("() => { window.isAway = false; document.dispatchEvent(new Event('visibilitychange')); }")
    system.fresh_result("webcam")


FAULTS = {
    "NotAllowedError": "allow it beside the address",
    "NotFoundError": "This device has no camera",
    "NotReadableError": "in use by another program",
    "StrangeError": "The camera cannot be used (StrangeError)",
}


def test_why_there_is_no_camera_is_one_sentence(show: Opener, system: Up) -> None:
    page = show(f"{system.api}/camera")
    button = page.get_by_role("button", name="Use this device's camera")
    for fault, words in FAULTS.items():
        page.evaluate(
            "(name) => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', name)); }", fault
        )
        button.click()
        expect(page.locator(".state.error")).to_contain_text(words)
        expect(button).to_be_enabled()


def test_a_page_that_may_have_no_camera_says_what_to_do(show: Opener, system: Up, axe: Callable[[Page], None]) -> None:
    page = show("about:blank")
    page.add_init_script(
        "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
        "Object.defineProperty(window, 'isSecureContext', { value: false });"
    )
    page.goto(f"{system.api}/camera")
    expect(page.locator(".start .error")).to_contain_text("only to pages that come by https")
    expect(page.get_by_role("button", name="Use this device's camera")).to_have_count(0)
    axe(page)


def test_it_fits_a_phone_in_the_dark(
    own: Callable[..., Page], axe: Callable[[Page], None], shot: Callable[[Page, str], Path]
) -> None:
    page = own(PHONE, "dark", name="My phone")
    expect(page.locator(".moods h2").first).to_contain_text("smiles")
    page.wait_for_function(IS_DRAWN)
    assert page.evaluate("document.documentElement.scrollWidth <= visualViewport.width")
    axe(page)
    shot(page, "camera-phone-dark")
