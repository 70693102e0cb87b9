"""Takes the README's pictures of the page: a running system with the demo and real RTSP cameras, seen in real Chromium.

python -m scripts.screenshots --into docs
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from rekstream.local import DEMO_FOLDER
from tests.cameras.clips import Clips
from tests.cameras.process import rtsp_camera
from tests.page.conftest import CHROMIUM, FLAGS
from tests.rekstream.running import Up

MEASURED_SECONDS = 60  # of looking at the pictures, before the latency is told
PATIENCE_MS = 30_000
KNOWN = {"Grace Hopper": "grace_hopper.jpg", "Eileen Collins": "astronaut.png"}
GOOD_AGE_SECONDS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("--into", type=Path, required=True)
    into: Path = parser.parse_args().into
    with tempfile.TemporaryDirectory() as text, sync_playwright() as playwright:
        folder = Path(text)
        clips = Clips(folder, DEMO_FOLDER, 10.0)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with (
            rtsp_camera({"lobby": clips.video("360")}) as camera,
            Up(folder, ["demo"], "--fps", "3") as up,
        ):
            for name, path in (("garage", "garaje"), ("lobby", "lobby")):
                httpx.post(f"{up.api}/api/cameras", json={"id": name, "url": camera.url(path)}).raise_for_status()
            for name, portrait in KNOWN.items():
                picture = {"image": (DEMO_FOLDER / portrait).read_bytes()}
                httpx.post(f"{up.api}/api/people", data={"name": name}, files=picture, timeout=60).raise_for_status()
            take(browser, up.api, into)
        browser.close()


def take(browser: Browser, url: str, into: Path) -> None:
    """Keep the pages as JPEGs, once the pictures are there and young."""
    live = opened(browser, url, (1280, 1000))
    live.wait_for_timeout(MEASURED_SECONDS * 1000)
    wait_until_young(url)
    keep(live, into / "live.jpg")
    latency = opened(browser, f"{url}/latency", (1280, 1180))
    latency.wait_for_timeout(8000)
    keep(latency, into / "latency.jpg")


def opened(browser: Browser, url: str, size: tuple[int, int]) -> Page:
    width, height = size
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.goto(url)
    return page


def wait_until_young(url: str) -> None:
    """Wait until both portraits are in sight of the demo camera and its newest result is young."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        demo = httpx.get(f"{url}/api/stats").json()["cameras"]["demo"]
        if demo["faces"] == 2 and demo["newest_age"] < GOOD_AGE_SECONDS:
            return
        time.sleep(0.1)
    raise SystemExit("the demo camera showed no two faces in time: is this machine busy?")


def keep(page: Page, path: Path) -> None:
    page.screenshot(path=path, type="jpeg", quality=86)
    print(path)


if __name__ == "__main__":
    main()
