"""The Photo page in Chromium: each way to bring a picture, each question, and what is said when it goes wrong."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from rekstream.local import DEMO_FOLDER
from tests.page.conftest import PHONE, Opener
from tests.rekstream.running import Up
from tests.vision.scenes import ASTRONAUT, HOPPER, portrait_bytes

BRING = """([kind, base64, name]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: name.endsWith("webp") ? "image/webp" : "image/jpeg" }));
  const [target, event] = kind === "drop"
    ? [document.querySelector(".photo-view"), new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })]
    : [document, new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })];
  target.dispatchEvent(event);
}"""


def both() -> bytes:
    """Return the two portraits beside each other."""
    pixels = [
        cv2.resize(cv2.imdecode(np.frombuffer(portrait_bytes(name), np.uint8), 1), (512, 600)) for name in (HOPPER, ASTRONAUT)
    ]
    return cv2.imencode(".jpg", np.hstack(pixels))[1].tobytes()


def photo(show: Opener, system: Up, *more: object) -> Page:
    page = show(f"{system.api}/photo", *more)  # type: ignore[arg-type]
    expect(page.get_by_role("button", name="Choose a picture")).to_be_visible()
    return page


def choose(page: Page, data: bytes, name: str = "a.jpg", what: str = "a picture") -> None:
    page.get_by_label(f"File of {what}").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})


def listed(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Faces").get_by_role("option")


def test_a_chosen_picture_shows_its_faces_one_by_one(
    show: Opener, system: Up, axe: Callable[[Page], None], shot: Callable[[Page, str], Path]
) -> None:
    """By click and by arrow keys; what the local models cannot tell is named, not empty."""
    page = photo(show, system)
    choose(page, both())
    faces = listed(page)
    expect(faces).to_have_count(2)
    expect(page.get_by_role("heading", name="Face 1")).to_be_visible()
    faces.nth(0).press("ArrowDown")
    expect(page.get_by_role("heading", name="Face 2")).to_be_visible()
    expect(faces.nth(1)).to_be_focused()
    page.locator(".photo-places div").nth(0).click()
    expect(faces.nth(0)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".photo-absent")).to_contain_text("cannot tell: eyeglasses, sunglasses, beard")
    expect(page.locator(".photo-timings")).to_contain_text("from the request to the answer")
    axe(page)
    shot(page, "photo-faces")


def test_the_lines_for_boto3_are_copied(show: Opener, system: Up) -> None:
    page = photo(show, system)
    page.get_by_role("button", name="Example: Grace Hopper").click()
    page.get_by_text("Python, with boto3 alone").click()
    page.get_by_role("button", name="Copy: Python").click()
    expect(page.locator(".toast")).to_have_text("copied")
    assert "rekognition.detect_faces(" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_text("JSON", exact=True).click()
    expect(page.locator("pre").first).to_contain_text('"FaceDetails"')


def test_some_attributes_only(show: Opener, system: Up) -> None:
    """What was not asked for is neither shown nor named as missing."""
    page = photo(show, system)
    page.get_by_role("button", name="Example: Eileen Collins").click()
    facts = page.locator(".photo-attributes")
    expect(facts).to_contain_text("age")
    page.get_by_label("Attributes", exact=True).select_option("some")
    for name in ("age", "gender", "beard", "emotions"):
        page.get_by_role("checkbox", name=name, exact=True).uncheck()
    expect(facts).not_to_contain_text("age")
    expect(page.locator(".photo-absent")).not_to_contain_text("beard")
    expect(facts).to_contain_text("smile")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(show: Opener, system: Up, way: str) -> None:
    page = photo(show, system)
    page.evaluate(BRING, [way, base64.b64encode(portrait_bytes(ASTRONAUT)).decode(), "a.jpg"])
    expect(listed(page)).to_contain_text("woman")


def test_what_the_server_does_not_take_is_made_a_jpeg_that_it_takes(show: Opener, system: Up, tmp_path: Path) -> None:
    page = photo(show, system)
    pixels = cv2.imdecode(np.frombuffer(portrait_bytes(ASTRONAUT), np.uint8), cv2.IMREAD_COLOR)
    webp = cv2.imencode(".webp", pixels)[1].tobytes()
    page.evaluate(BRING, ["drop", base64.b64encode(webp).decode(), "a.webp"])
    expect(listed(page)).to_contain_text("woman")
    expect(page.locator(".photo-hint")).to_contain_text("made a JPEG here")
    large = tmp_path / "large.jpg"
    large.write_bytes(portrait_bytes(HOPPER) + bytes(16_000_000))
    page.get_by_label("File of a picture").set_input_files(large)
    expect(page.locator(".photo-hint")).to_contain_text("made smaller here, because the server takes 15 MB")
    expect(listed(page)).to_contain_text("man")


def test_a_snapshot_with_this_devices_camera(show: Opener, system: Up) -> None:
    """The camera is off again afterwards."""
    page = photo(show, system, PHONE)
    page.get_by_role("button", name="Take a snapshot").click()
    take = page.get_by_role("button", name="Take it")
    expect(take).to_be_enabled()
    page.evaluate("window.track = document.querySelector('video').srcObject.getTracks()[0]")
    take.click()
    expect(listed(page).first).to_be_visible()
    assert page.evaluate("window.track.readyState") == "ended"


def test_two_pictures_are_compared(
    show: Opener, system: Up, axe: Callable[[Page], None], shot: Callable[[Page, str], Path]
) -> None:
    page = photo(show, system)
    page.get_by_role("tab", name="Compare").click()
    choose(page, portrait_bytes(HOPPER), what="the first picture")
    choose(page, both(), what="the second picture")
    verdict = page.locator(".photo-verdict")
    expect(verdict).to_contain_text("One face is alike, one other face is not.")
    axe(page)
    shot(page, "photo-compare")
    page.get_by_role("button", name="Example: Eileen Collins").nth(1).click()
    expect(verdict).to_contain_text("The face in the second picture is someone else's.")


def test_labels_and_where_they_are(
    show: Opener, system: Up, axe: Callable[[Page], None], shot: Callable[[Page, str], Path]
) -> None:
    """The picture goes along from tab to tab; a label is pressed to see its places alone."""
    page = photo(show, system, (1280, 800), "dark")
    choose(page, both())
    expect(listed(page)).to_have_count(2)
    page.get_by_role("tab", name="Faces").press("ArrowLeft")
    person = page.get_by_role("button", name="Person 1 place")
    expect(person).to_be_visible()
    person.click()
    expect(person).to_have_attribute("aria-pressed", "true")
    axe(page)
    shot(page, "photo-labels-dark")
    page.get_by_label("most labels").fill("1")
    page.get_by_label("most labels").press("Enter")
    expect(page.locator(".photo-count")).to_have_text("One label")


def test_what_goes_wrong_is_the_servers_sentence(show: Opener, system: Up) -> None:
    page = photo(show, system)
    state = page.locator(".photo-state")
    choose(page, b"\0\0\0\x24ftypheic" + bytes(500), "IMG_1.HEIC")
    expect(state).to_contain_text("HEIC is neither JPEG nor PNG; save it as JPEG")
    page.get_by_role("button", name="from S3").click()
    page.get_by_label("S3 address of a picture").fill("s3://photos/a.jpg")
    page.get_by_label("S3 address of a picture").press("Enter")
    expect(state).to_contain_text("this local server has no S3 endpoint")
    wall = cv2.imencode(".jpg", np.full((300, 300, 3), 90, np.uint8))[1].tobytes()
    choose(page, wall)
    expect(page.locator(".photo-count")).to_contain_text("No face was found")


def test_it_fits_a_phone(show: Opener, system: Up, axe: Callable[[Page], None], shot: Callable[[Page, str], Path]) -> None:
    page = photo(show, system, PHONE)
    page.get_by_role("button", name="Example: Grace Hopper").tap()
    expect(page.locator(".photo-attributes")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    axe(page)
    shot(page, "photo-phone")


def test_the_examples_are_the_demos_own_pictures(system: Up) -> None:
    """Served from where they lie, not copied."""
    for name in ("astronaut.png", "grace_hopper.jpg"):
        assert httpx.get(f"{system.api}/static/examples/{name}").content == (DEMO_FOLDER / name).read_bytes()
