"""What the page costs, and how old it is: first paint, bytes, age to the pixel, viewers, forty cameras, memory.

    python -m bench.page [--minutes 10] [--nicegui PYTHON]

Chromium is Debian's, headless and without a graphics card, so drawing costs more of a core than at a desk. `--nicegui`
names the Python of an environment that has NiceGUI, to be measured beside.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import httpx
import psutil
import websockets
from playwright.sync_api import Browser, Page, sync_playwright

from bench import rig
from producer.sources.demo import Scene, load_portraits
from rekstream.local import free_port
from tests.page.conftest import CHROMIUM, FLAGS

PREVIEWS = 10.0
SPAN_SECONDS = 15.0
WARM_UP_SECONDS = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.page")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the look at memory")
    parser.add_argument("--nicegui", help="the Python of an environment that has NiceGUI")
    asked = parser.parse_args()
    print(rig.head(["page", "measured", "line"]), flush=True)
    with tempfile.TemporaryDirectory() as text, sync_playwright() as playwright:
        pictures = make_pictures(Path(text))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        first_paint_and_bytes(browser)
        age_to_the_pixel(browser)
        forty_cameras(pictures)
        viewers_in_browsers(browser, pictures, asked.nicegui)
        browser.close()
        twenty_viewers(pictures, asked.minutes * 60)


def say(*cells: str) -> None:
    print(rig.row(list(cells)), flush=True)


def make_pictures(folder: Path, count: int = 25) -> Path:
    """Fill a folder with previews of the demo's portraits: 640 x 360, as producers make them."""
    scene = Scene(load_portraits(rig.PORTRAITS), 640, 360)
    for number in range(count):
        jpeg = cv2.imencode(".jpg", scene.draw(5 + number / 10), [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
        (folder / f"{number:03}.jpg").write_bytes(jpeg.tobytes())
    return folder


# --- with a whole system ---


def first_paint_and_bytes(browser: Browser) -> None:
    with system() as url:
        rig.wait_until_quiet(20)
        loads = [_load(browser, url) for _ in range(7)]
    say("first paint of the live page, median of 7", f"{statistics.median(paint for paint, _ in loads):.0f} ms", "300 ms")
    say("bytes of the live page, without charts", f"{loads[0][1] / 1024:.0f} KB", "100 KB")


def _load(browser: Browser, url: str) -> tuple[float, int]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("canvas")
    page.wait_for_timeout(2000)  # for what is loaded after the first picture
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    files = "performance.getEntriesByType('resource').filter(e => e.name.includes('/static/'))"
    size = page.evaluate(
        f"performance.getEntriesByType('navigation')[0].decodedBodySize + {files}.reduce((s, e) => s + e.decodedBodySize, 0)"
    )
    context.close()
    return float(paint), int(size)


def age_to_the_pixel(browser: Browser) -> None:
    with rig.strict(100.0) as endpoint, system("--endpoint-url", endpoint) as url:
        page = browser.new_page()
        page.goto(url)
        page.wait_for_timeout((WARM_UP_SECONDS + 30) * 1000)
        stats = httpx.get(f"{url}/api/stats").json()
        page.close()
    result, display = stats["age"]["p95"], stats["display"]["p95"]
    say(
        "age p95, service of 0.3 s: of the result / when painted",
        f"{result * 1000:.0f} ms / {display * 1000:.0f} ms: {(display - result) * 1000:+.0f} ms",
        "+80 ms",
    )


@contextlib.contextmanager
def system(*options: str) -> Iterator[str]:
    """Run `rekstream up` with the demo camera; yield its address when results come."""
    port = free_port("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as data, rig.part("up", "demo", "--port", str(port), "--data", data, *options):
        rig.wait_until(lambda: _has_results(url), 60)
        yield url


def _has_results(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return bool(httpx.get(f"{url}/api/results").json()["results"])
    return False


# --- with cameras out of nothing ---


@contextlib.contextmanager
def dashboard(cameras: int, pictures: Path, results: float = 2.0) -> Iterator[tuple[str, psutil.Process]]:
    """Run a dashboard over cameras out of nothing; yield its address and process."""
    port = free_port("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(rig.valkey())
        data = stack.enter_context(tempfile.TemporaryDirectory())
        process = stack.enter_context(rig.part("dashboard", redis=redis, port=port, data=data))
        command = [sys.executable, "-m", "bench.feeder", redis, str(cameras), str(PREVIEWS), str(results), str(pictures)]
        feeder = subprocess.Popen(command, cwd=rig.ROOT)
        stack.callback(feeder.wait)
        stack.callback(feeder.kill)
        rig.wait_until(lambda: _has_results(url), 60)
        yield url, process


def share_of_a_core(processes: Callable[[], list[psutil.Process]], seconds: float = SPAN_SECONDS) -> float:
    before = sum(rig.cpu_seconds(process) for process in processes())
    time.sleep(seconds)
    return (sum(rig.cpu_seconds(process) for process in processes()) - before) / seconds


def forty_cameras(pictures: Path) -> None:
    """Let a Chromium of its own look, without Playwright, which would be told of every message of the socket."""
    with dashboard(40, pictures) as (url, process), tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--window-size=2560,1440", f"--user-data-dir={profile}", *FLAGS]
        looking = subprocess.Popen([CHROMIUM, *flags, url], stderr=subprocess.DEVNULL)
        try:
            time.sleep(2 * WARM_UP_SECONDS)
            used = share_of_a_core(lambda: rig.family(psutil.Process(looking.pid)))
            served = share_of_a_core(lambda: [process])
        finally:
            looking.kill()
            looking.wait()
    say(
        "40 cameras at 10 pictures/s on one page of 2560 x 1440",
        f"Chromium {used:.0%}, dashboard {served:.0%} of a core",
        "50 %",
    )


def viewers_in_browsers(browser: Browser, pictures: Path, nicegui: str | None) -> None:
    """Compare servers with one and five pages open that show four cameras."""
    with dashboard(4, pictures) as (url, process):
        _compare("rekstream", browser, url, process)
    with rig.printing_its_port("bench.mjpeg", "4", str(PREVIEWS), str(pictures)) as port:
        _compare("a plain MJPEG page", browser, f"http://127.0.0.1:{port}", _listening(port))
    if nicegui is not None:
        port = free_port("127.0.0.1", 0)
        script = str(rig.ROOT / "bench" / "nicegui_page.py")
        running = subprocess.Popen([nicegui, script, str(port), "4", str(PREVIEWS), str(pictures)], stdout=subprocess.DEVNULL)
        try:
            rig.wait_until(lambda: _answers(f"http://127.0.0.1:{port}"), 40)
            _compare("NiceGUI", browser, f"http://127.0.0.1:{port}", psutil.Process(running.pid))
        finally:
            running.kill()
            running.wait()


def _compare(name: str, browser: Browser, url: str, server: psutil.Process) -> None:
    pages: list[Page] = []
    shares = []
    for count in (1, 5):
        while len(pages) < count:
            pages.append(browser.new_context(viewport={"width": 1280, "height": 800}).new_page())
            pages[-1].goto(url, wait_until="commit")
        time.sleep(WARM_UP_SECONDS)
        shares.append(f"{share_of_a_core(lambda: [server]):.1%}")
    for page in pages:
        page.context.close()
    say(f"{name}: server, 4 cameras at 10 pictures/s, 1 / 5 pages open", f"{' / '.join(shares)} of a core", "")


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url).is_success
    return False


def _listening(port: int) -> psutil.Process:
    """Return our own child that listens at a port."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any(connection.laddr.port == port for connection in child.net_connections() if connection.status == "LISTEN"):
                return child
    raise SystemExit(f"nobody listens at {port}")


def twenty_viewers(pictures: Path, seconds: float) -> None:
    names = [f"camera-{number:02}" for number in range(4)]
    with dashboard(4, pictures) as (url, process), Viewers(url, 20, names) as viewers:
        time.sleep(WARM_UP_SECONDS)
        viewers.pictures = 0
        used = share_of_a_core(lambda: [process])
        rate = viewers.pictures / SPAN_SECONDS
        time.sleep(min(45.0, seconds / 4))
        first = rig.megabytes(process)
        time.sleep(seconds)
        last = rig.megabytes(process)
    say("20 viewers of 4 cameras at 10 pictures/s", f"dashboard {used:.1%} of a core ({rate:.0f} of 800 pictures/s)", "8 %")
    say(f"memory of the dashboard over {seconds / 60:g} minutes of that", f"{first:.1f} MB, then {last:.1f} MB", "flat")


class Viewers:
    """Sockets that take every picture, on a thread of their own."""

    def __init__(self, url: str, count: int, cameras: list[str]) -> None:
        self.pictures = 0
        self._url = url.replace("http", "ws") + "/api/live"
        self._count = count
        self._watch = json.dumps({"watch": dict.fromkeys(cameras, "preview")})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))

    def __enter__(self) -> Viewers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _all(self) -> None:
        await asyncio.gather(*(self._one() for _ in range(self._count)))

    async def _one(self) -> None:
        async with websockets.connect(self._url, max_size=2_000_000, compression=None) as socket:
            await socket.send(self._watch)
            while not self._stop.is_set():
                message = await asyncio.wait_for(socket.recv(), 20)
                self.pictures += isinstance(message, bytes)


if __name__ == "__main__":
    main()
