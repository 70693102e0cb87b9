"""Who does not know the password sees nothing, who signed in sees it until they sign out, and no other page rides along."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
import pytest
from starlette.types import Receive, Scope, Send
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from dashboard import passwords, sessions
from dashboard.answers import RefusedError
from dashboard.guard import Guard
from dashboard.passwords import Attempts, PasswordHash
from dashboard.server import HttpServer, bind
from dashboard.sessions import Sessions
from dashboard.settings import DashboardSettings
from rekstream.client import Client, ServerError
from tests.conftest import Valkey
from tests.dashboard.support import PATIENCE, Api, Listener, dashboard, until

PASSWORD, TOKEN = "open sesame", "t0ken"
OURS = {"X-Rekstream": "1"}
HASH = PasswordHash.of(PASSWORD)


@pytest.fixture
def locked(settings: DashboardSettings) -> DashboardSettings:
    return dataclasses.replace(settings, password=HASH, token=TOKEN)


@pytest.fixture
def guarded(session_valkey: Valkey, broker: object, locked: DashboardSettings) -> Iterator[Api]:
    """The real API, which asks for a password; its own client brings the token."""
    with dashboard(session_valkey.url, locked) as running:
        yield running


@pytest.fixture
def browser(guarded: Api) -> Iterator[httpx.Client]:
    """A client with a jar of cookies and no token."""
    with httpx.Client(base_url=guarded.url) as client:
        yield client


def sign_in(client: httpx.Client, password: str = PASSWORD, **headers: str) -> httpx.Response:
    return client.post("/api/session", json={"password": password}, headers={**OURS, **headers})


def sentence(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["message"])


def cookie_of(answer: httpx.Response) -> tuple[str, set[str]]:
    value, *flags = answer.headers["set-cookie"].split("; ")
    return value.partition("=")[2], set(flags)


def test_the_password_opens_and_signing_out_closes(browser: httpx.Client) -> None:
    assert browser.get("/api/session").json() == {"needed": True, "signed_in": False}
    assert "sign in at /login" in sentence(browser.get("/api/cameras"), 401)
    assert sign_in(browser).json() == {"needed": True, "signed_in": True}
    assert browser.get("/api/session").json() == {"needed": True, "signed_in": True}
    assert browser.get("/api/cameras").status_code == 200
    value = browser.cookies["rekstream_session"]
    assert browser.delete("/api/session", headers=OURS).status_code == 204
    assert "rekstream_session" not in browser.cookies
    stale = {"Cookie": f"rekstream_session={value}"}
    assert browser.get("/api/cameras", headers=stale).status_code == 401
    assert browser.get("/api/session", headers=stale).json()["signed_in"] is False


def test_the_token_is_a_password_too_and_programs_go_on_sending_it(guarded: Api, browser: httpx.Client) -> None:
    assert sign_in(browser, TOKEN).status_code == 200
    assert guarded.get("/api/cameras") == {"cameras": []}
    assert guarded.http.post("/api/cameras", json={"url": "demo"}).status_code == 201  # needs no header of a page
    with httpx.Client(base_url=guarded.url, headers={"Authorization": f"Bearer {PASSWORD}"}) as stranger:
        assert stranger.get("/api/cameras").status_code == 401  # a password is typed, at the pace of people


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(browser: httpx.Client) -> None:
    """And from plain http, where the page came by https: the browser says so in Origin, or a proxy does."""
    value, flags = cookie_of(sign_in(browser))
    assert re.fullmatch(r"[\w-]{43}", value)
    assert flags == {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=604800"}
    host = browser.base_url.netloc.decode()
    for headers in ({"Origin": f"https://{host}"}, {"X-Forwarded-Proto": "https"}):
        assert "Secure" in cookie_of(sign_in(browser, **headers))[1]


def test_a_session_is_new_at_each_login(browser: httpx.Client) -> None:
    """A value that somebody planted before is never taken over, and the old session ends."""
    planted = {"Cookie": "rekstream_session=planted"}
    assert cookie_of(sign_in(browser, **planted))[0] != "planted"
    assert httpx.get(f"{browser.base_url}/api/cameras", headers=planted).status_code == 401
    first = browser.cookies["rekstream_session"]
    sign_in(browser)
    assert browser.cookies["rekstream_session"] != first
    assert httpx.get(f"{browser.base_url}/api/cameras", headers={"Cookie": f"rekstream_session={first}"}).status_code == 401


def test_wrong_passwords_are_slowed_down(guarded: Api, browser: httpx.Client) -> None:
    """Five a minute from one address; after that the right one is not tried either. Who knows it is never counted."""
    for _ in range(6):
        assert sign_in(browser).status_code == 200
    for wrong in ("", "x", "open sesam", "open sesame ", "\ud800"):
        body = json.dumps({"password": wrong})
        answer = browser.post("/api/session", content=body, headers={"Content-Type": "application/json", **OURS})
        assert sentence(answer, 401 if wrong else 422)
    assert sentence(sign_in(browser, "again"), 401) == "that is not the password"
    answer = sign_in(browser)
    assert re.match(r"too many wrong passwords: try again in \d\d? seconds", sentence(answer, 429))
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert browser.get("/api/cameras").status_code == 200  # who is in stays in
    assert guarded.get("/api/cameras") == {"cameras": []}


@pytest.mark.parametrize("body", [{}, {"password": 7}, {"password": "x" * 1025}, {"password": None}])
def test_an_error_never_repeats_a_password(browser: httpx.Client, body: dict[str, object]) -> None:
    said = sentence(browser.post("/api/session", json=body), 422)
    assert said == 'a password of 1 to 1,024 characters is needed: send {"password": "…"}'


def test_what_changes_something_with_a_cookie_comes_from_our_own_page(browser: httpx.Client) -> None:
    """A form or a picture of another page can send the cookie, but never the header."""
    sign_in(browser)
    for answer in (
        browser.post("/api/cameras", json={"url": "demo"}),
        browser.patch("/api/cameras/demo", json={"fps": 1}),
        browser.delete("/api/cameras/demo"),
        browser.delete("/api/session"),
        browser.post("/api/photos", content=b"x"),
    ):
        assert "has to bring the header X-Rekstream" in sentence(answer, 403)
    assert "may not change" in sentence(
        browser.post("/api/cameras", json={"url": "demo"}, headers={**OURS, "Origin": "http://evil.example"}), 403
    )
    assert browser.post("/api/cameras", json={"url": "demo"}, headers=OURS).status_code == 201
    assert sentence(sign_in(browser, Origin="http://evil.example"), 403)  # nor does another page sign anybody in


def test_a_browser_that_opens_a_page_is_led_to_the_login(browser: httpx.Client) -> None:
    """And from there only to places of this server; programs get 401."""
    page = {"Accept": "text/html,application/xhtml+xml"}
    for path, there in (
        ("/", "/login?next=/"),
        ("/photo?a=b&next=c", "/login?next=/photo%3Fa%3Db%26next%3Dc"),
        ("//evil.example", "/login?next=//evil.example"),
        ("/docs", "/login?next=/docs"),
    ):
        answer = browser.get(f"{str(browser.base_url).rstrip('/')}{path}", headers=page)
        assert (answer.status_code, answer.headers["location"]) == (303, there)
    for path, headers in (
        ("/api/stats", page),
        ("/", {}),
        ("/metrics", {}),
        ("/openapi.json", {}),
    ):
        assert browser.get(path, headers=headers).status_code == 401
    for path in ("/login", "/static/login.js", "/static/style/login.css", "/static/app.js"):
        assert browser.get(path, headers=page).status_code == 200  # code is no secret
    for path in (
        "/static/../api/cameras",
        "/static/%2e%2e/api/cameras",
        "/static/x/..%2f..%2fapp.py",
    ):
        assert browser.get(path).status_code in (401, 404)
    sign_in(browser)
    assert browser.get("/", headers=page).status_code == 200


def test_commands_sign_in_with_the_password(guarded: Api) -> None:
    """Where no token was set: once, and no more often than people may."""
    client = Client(guarded.url, password=PASSWORD)
    assert client.add_camera({"url": "demo"})["id"] == "demo"
    client.remove_camera("demo")
    assert client.cameras() == []
    with pytest.raises(ServerError, match="that is not the password"):
        Client(guarded.url, password="another").cameras()
    with pytest.raises(ServerError, match="a token is needed"):
        Client(guarded.url).cameras()


def test_behind_a_proxy_a_password_stands_for_the_name_of_this_machine(browser: httpx.Client) -> None:
    """A page that a name was made to point here (DNS rebinding) has no cookie of ours under that name."""
    there = {"Host": "cameras.example"}
    assert browser.get("/api/cameras", headers=there).status_code == 401
    cookie, flags = cookie_of(sign_in(browser, **there, Origin="https://cameras.example"))
    assert "Secure" in flags
    ours = {**there, "Cookie": f"rekstream_session={cookie}", "Origin": "https://cameras.example", **OURS}
    assert browser.post("/api/cameras", json={"url": "demo"}, headers=ours).status_code == 201


def test_nobody_is_asked_where_no_password_is(api: Api) -> None:
    assert api.get("/api/session") == {"needed": False, "signed_in": False}
    assert "there is no password here" in sentence(sign_in(api.http), 409)
    assert api.http.delete("/api/session").status_code == 204
    assert Client(api.url, password=PASSWORD).cameras() == []


def test_events_end_with_their_session(guarded: Api, browser: httpx.Client) -> None:
    sign_in(browser)
    with Listener(guarded, Cookie=f"rekstream_session={browser.cookies['rekstream_session']}") as listener:
        until(lambda: listener.of("stats"))
        browser.delete("/api/session", headers=OURS)
        assert listener.ended.wait(PATIENCE)
    with Listener(guarded, Authorization=f"Bearer {TOKEN}") as listener:
        until(lambda: listener.of("stats"))
        sign_in(browser)
        browser.delete("/api/session", headers=OURS)
        assert not listener.ended.wait(0.3)


@pytest.mark.parametrize("path", ["/api/live", "/api/browser-camera"])
def test_pictures_end_with_their_session(path: str, guarded: Api, browser: httpx.Client) -> None:
    sign_in(browser)
    cookie = {"Cookie": f"rekstream_session={browser.cookies['rekstream_session']}"}
    url = guarded.url.replace("http", "ws") + path
    with pytest.raises(InvalidStatus), connect(url, additional_headers=cookie, proxy=None):
        pass  # without an Origin
    with connect(url, origin=Origin(guarded.url), additional_headers=cookie, proxy=None) as socket:
        browser.delete("/api/session", headers=OURS)
        with pytest.raises(ConnectionClosed) as closed:
            list(socket)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4401


class Clock:
    """Time that a test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_session_ends_after_a_week_or_a_day_without_use() -> None:
    clock = Clock()
    known = Sessions(clock)
    used, unused = known.begin(), known.begin()
    for clock.now in range(0, 7 * 86_400, 43_200):
        assert known.find(used)
    assert known.find(unused) is None
    clock.now = 7 * 86_400 - 1.0
    assert known.find(used)
    clock.now += 1
    assert known.find(used) is None
    assert (known.find(None), known.find(""), known.find("x")) == (None, None, None)


def test_the_session_that_was_not_used_for_longest_makes_room() -> None:
    clock = Clock()
    known = Sessions(clock)
    values = []
    for clock.now in range(sessions.MOST):
        values.append(known.begin())
    clock.now += 1
    assert (first := known.find(values[0]))
    known.begin()
    assert known.find(values[1]) is None
    assert known.find(values[0]) is first
    assert not first.over.is_set()


def test_an_open_stream_keeps_its_session_in_use_until_its_week_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LOOK_SECONDS", 0.001)
    clock = Clock()
    known = Sessions(clock)
    value = known.begin()

    async def hours_until_the_end() -> int:
        session = known.find(value)
        assert session
        waiting = asyncio.create_task(known.wait_for_end(session))
        hours = 0
        while not waiting.done():
            clock.now, hours = clock.now + 3600, hours + 1
            seen = session.used
            with anyio.move_on_after(5):
                while session.used == seen and not waiting.done():
                    await asyncio.sleep(0)
        return hours

    with ThreadPoolExecutor(1) as thread:  # Playwright's loop may run on this one
        assert thread.submit(lambda: asyncio.run(hours_until_the_end())).result() == 7 * 24


def refusal(attempts: Attempts, address: str) -> str:
    with pytest.raises(RefusedError) as refused:
        attempts.begin(address)
    assert refused.value.status == 429
    return refused.value.headers["Retry-After"]


def test_attempts_are_counted_by_address_and_in_all_for_a_minute() -> None:
    """An IPv6 caller has a whole network of addresses, and counts as one."""
    clock = Clock()
    attempts = Attempts(clock)
    for clock.now in range(5):
        attempts.begin("10.0.0.7")
    assert refusal(attempts, "10.0.0.7") == "56"
    for number in range(5):
        attempts.begin(f"2001:db8::{number}")
    refusal(attempts, "2001:db8::99")
    for number in range(passwords.IN_ALL - 10):
        attempts.begin(f"10.0.1.{number}")
    assert refusal(attempts, "10.0.2.1") == "56"
    clock.now = 60.0
    attempts.forgive(attempts.begin("10.0.0.7"))
    attempts.begin("10.0.0.7")
    refusal(attempts, "10.0.0.7")


def test_a_password_is_kept_as_a_salted_hash() -> None:
    assert HASH.fits(PASSWORD)
    assert not HASH.fits("open Sesame")
    assert PasswordHash.of(PASSWORD) != HASH
    assert PASSWORD not in repr(HASH)
    assert PASSWORD.encode() not in HASH.digest + HASH.salt


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a socket word by word, and any request with 200."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Socket:
    """A server with one guarded socket, in the real HTTP server."""

    def __init__(self, settings: DashboardSettings) -> None:
        self.sessions = Sessions()
        self._bound = bind("127.0.0.1", 0)
        self.host = f"127.0.0.1:{self._bound.getsockname()[1]}"
        self._server = HttpServer(Guard(echo, settings, self.sessions), self._bound)

    def open(self, **headers: str) -> connect:
        return connect(f"ws://{self.host}/", additional_headers=headers, proxy=None)

    def refused(self, **headers: str) -> bool:
        try:
            with self.open(**headers):
                return False
        except InvalidStatus as refused:
            return refused.response.status_code == 403

    def __enter__(self) -> Socket:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._bound.close()


def speaks(socket: ClientConnection) -> bool:
    socket.send("hello")
    return socket.recv(timeout=PATIENCE) == "hello"


def test_a_foreign_page_opens_no_socket_on_loopback(settings: DashboardSettings) -> None:
    """Browsers let any page open a socket to any host: Origin is all that tells them apart; programs send none."""
    with Socket(settings) as server:
        assert server.refused(Origin="http://evil.example")
        assert server.refused(Origin="null")
        assert server.refused(Origin="http://127.0.0.1:1")
        with server.open(Origin=f"http://{server.host}") as ours, server.open() as program:
            assert speaks(ours)
            assert speaks(program)


def test_a_socket_with_a_cookie_names_its_page_and_ends_with_its_session(locked: DashboardSettings) -> None:
    with Socket(locked) as server:
        value = server.sessions.begin()
        cookie, page = {"Cookie": f"rekstream_session={value}"}, {"Origin": f"http://{server.host}"}
        assert server.refused(**page)
        assert server.refused(**cookie)
        assert server.refused(**cookie, Origin="http://evil.example")
        with server.open(Authorization=f"Bearer {TOKEN}") as program, server.open(**cookie, **page) as ours:
            assert speaks(program)
            assert speaks(ours)
            server.sessions.end(value)  # on the loop in the real app; here the watcher's next look finds it
            with pytest.raises(ConnectionClosed) as closed:
                ours.recv(timeout=PATIENCE)
            assert speaks(program)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 4401


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LOOK_SECONDS", 0.1)
