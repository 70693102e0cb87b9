"""What the tests of the page share: a real Chromium, a whole running system, pictures to look at, and no silent fault.

A test's `page` fails at its end when the page broke its Content-Security-Policy, logged an error or raised one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from producer.sources.demo import Scene, load_portraits
from rekstream.local import DEMO_FOLDER
from tests.conftest import Valkey
from tests.dashboard.support import LOCAL, dashboard
from tests.page.house import House
from tests.rekstream.running import Up

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
SHOTS = Path(__file__).parent / "shots"
DESKTOP, PHONE, WALL = (1280, 800), (390, 844), (2560, 1440)
SERIOUS = ("serious", "critical")

_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""


class Opener:
    """Opens pages in fresh profiles, and collects what goes wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.faults: list[str] = []
        self.contexts: list[BrowserContext] = []

    def __call__(self, url: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Page:
        """Return a page that shows `url` in a window of `size` CSS pixels."""
        dark = "dark" if scheme == "dark" else "light"
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=dark,  # type: ignore[arg-type]  # a literal, as the line above says
            permissions=["camera", "clipboard-read", "clipboard-write"],
            is_mobile=width < 500,
            has_touch=width < 500,
        )
        context.add_init_script(_TELL_VIOLATIONS)
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"{error.name}: {error.message}"))
        page.goto(url)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _is_expected(message):
            self.faults.append(f"{message.text} ({message.location.get('url', '')})")


def _is_expected(message: ConsoleMessage) -> bool:
    """Say whether Chromium only tells that the server was away or answered an error, which tests provoke."""
    is_of_files = "/static/" in message.location.get("url", "")
    is_network = message.text.startswith(("Failed to load resource", "WebSocket connection to"))
    return is_network and not (is_of_files and "status of 404" in message.text)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=15_000)  # two busy cores are slow at times
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def webcam_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the portraits as Chromium's fake webcam plays them, over and over."""
    path = tmp_path_factory.mktemp("webcam") / "faces.mjpeg"
    scene = Scene(load_portraits(DEMO_FOLDER), 1280, 720)
    with path.open("wb") as file:
        for frame in range(50):
            file.write(cv2.imencode(".jpg", np.asarray(scene.draw(5 + frame / 25)))[1].tobytes())
    return path


@pytest.fixture(scope="package")
def browser(playwright: Playwright, webcam_video: Path) -> Iterator[Browser]:
    """Debian's Chromium with the portraits before its webcam."""
    flags = [*FLAGS, f"--use-file-for-fake-video-capture={webcam_video}"]
    running = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield running
    running.close()


@pytest.fixture
def show(browser: Browser) -> Iterator[Opener]:
    """Opens pages; at the end of the test there must have been no fault in any of them."""
    opener = Opener(browser)
    yield opener
    for context in opener.contexts:
        context.close()
    assert opener.faults == []


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A whole running system with the demo camera, until the last test of the page; `system.api` is its address."""
    with Up(tmp_path_factory.mktemp("system"), ["demo"], "--fps", "2") as up:
        up.fresh_result("demo")
        yield up


@pytest.fixture
def shot() -> Callable[[Page, str], Path]:
    """Keeps a picture of the page under tests/page/shots (which git ignores), for people to look at."""
    SHOTS.mkdir(exist_ok=True)

    def keep(page: Page, name: str) -> Path:
        path = SHOTS / f"{name}.png"
        page.screenshot(path=path)
        return path

    return keep


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Fails when axe finds a serious fault of accessibility."""

    def check(page: Page) -> None:
        found = Axe().run(page).response["violations"]
        serious = [
            f"{fault['id']}: {fault['help']}: {[node['target'] for node in fault['nodes']][:3]}"
            for fault in found
            if fault["impact"] in SERIOUS
        ]
        assert serious == []

    return check


@pytest.fixture
def settings(tmp_path: Path) -> DashboardSettings:
    return DashboardSettings(data=tmp_path / "data", provider=LOCAL, port=0)


@pytest.fixture
def house(session_valkey: Valkey, broker: Broker, settings: DashboardSettings) -> Iterator[House]:
    """An API of the test's own, with no camera yet."""
    with dashboard(session_valkey.url, settings) as api:
        yield House(broker, api)
