"""Only this machine's own pages and programs are served, unless a token says otherwise; everything has its bounds."""

from __future__ import annotations

import dataclasses
import socket
import threading
from pathlib import Path

import httpx
import pytest

from dashboard.app import run
from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.errors import BrokerError, PortInUse, SettingsError
from tests.conftest import Valkey
from tests.dashboard.support import Api, dashboard, picture, until

TOKEN = "t0ken-of-this-test"


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    return str(answer.json()["error"]["message"])


def test_every_answer_has_the_security_headers(api: Api) -> None:
    """Nothing from elsewhere is loaded, guessed, framed, told or cached, in errors too."""
    for path in ("/api/cameras", "/docs", "/nowhere", "/api/cameras/x/frame.jpg"):
        headers = api.http.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_a_foreign_host_is_refused(api: Api) -> None:
    """On loopback the Host header has to name this machine, against DNS rebinding."""
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "[", "10.0.0.7"):
        assert "is not this machine" in refused(api.http.get("/api/cameras", headers={"Host": host}), 421)
    for host in ("localhost", "localhost:1234", "127.0.0.1", "[::1]:99", "LOCALHOST:1"):
        assert api.http.get("/api/cameras", headers={"Host": host}).status_code == 200


def test_a_foreign_page_changes_nothing(api: Api) -> None:
    """A request that changes something is refused from another origin; reading is left to the browser's own rules."""
    body = {"url": "demo"}
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert "may not change anything" in refused(api.http.post("/api/cameras", json=body, headers=headers), 403)
        refused(api.http.delete("/api/cameras/x", headers=headers), 403)
        refused(api.http.post("/api/photos", content=picture(), headers=headers), 403)
    assert api.get("/api/cameras") == {"cameras": []}
    assert api.http.post("/api/cameras", json=body, headers={"Origin": api.url}).status_code == 201


def test_large_bodies_are_refused(api: Api) -> None:
    """64 KB for JSON, 15 MB for photos, whether the size is announced or not."""
    large, huge = b"x" * (64 * 1024 + 1), b"x" * (15 * 1024 * 1024 + 1)
    assert "65,536 are taken" in refused(api.http.post("/api/cameras", content=large), 413)
    assert "65,536 are taken" in refused(api.http.post("/api/cameras", content=iter([large[:50_000], large[50_000:]])), 413)
    assert "15,728,640 are taken" in refused(api.http.post("/api/photos", content=huge), 413)
    assert "neither JPEG nor PNG" in refused(api.http.post("/api/photos", content=huge[:-1]), 422)
    assert api.http.post("/api/cameras", content=iter([b'{"url":', b'"demo"}']), headers=JSON).status_code == 201


JSON = {"Content-Type": "application/json"}


def test_all_bodies_together_have_a_bound(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who hold pictures back fill no memory: who comes then is told to come again, and what they held is let go."""
    monkeypatch.setattr("dashboard.guard.HELD_BYTES", 100_000)
    monkeypatch.setattr("dashboard.guard.BODY_SECONDS", 1.0)
    monkeypatch.setattr("dashboard.guard.DRAIN_SECONDS", 0.1)
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(b"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99000\r\n\r\n" + bytes(98_000))
        until(lambda: api.http.post("/api/photos", content=bytes(5_000)).status_code == 503)
        assert "send this one again" in refused(api.http.post("/api/photos", content=bytes(5_000)), 503)
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
    assert "neither JPEG nor PNG" in refused(api.http.post("/api/photos", content=bytes(5_000)), 422)


def test_unknown_routes_and_methods_have_the_one_shape(api: Api) -> None:
    """404 and 405 are one sentence each."""
    assert refused(api.http.get("/nowhere"), 404) == "there is nothing at /nowhere: /docs lists the routes"
    assert "does not know PUT" in refused(api.http.put("/api/cameras"), 405)


def test_an_accident_is_one_sentence(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of this program shows no insides, and has the headers too."""
    monkeypatch.setattr("dashboard.stats.Stats.look", lambda self: 1 / 0)
    assert refused(api.http.get("/api/stats"), 500) == "GET /api/stats failed by a fault of this program: see its log"


def test_beyond_loopback_a_token_is_needed(session_valkey: Valkey, broker: Broker, settings: DashboardSettings) -> None:
    """Without one it does not start; with one every request has to bring it, but for the probes."""
    with pytest.raises(SettingsError, match=r"host '0\.0\.0\.0' lets other machines reach the cameras: name a --password-file"):
        run(broker, dataclasses.replace(settings, host="0.0.0.0"), threading.Event())
    with pytest.raises(SettingsError, match="REKSTREAM_TOKEN has 5 characters"):
        run(broker, dataclasses.replace(settings, host="0.0.0.0", token=TOKEN[:5]), threading.Event())
    open_to_all = dataclasses.replace(settings, host="0.0.0.0", token=TOKEN)
    assert TOKEN not in repr(open_to_all)
    with dashboard(session_valkey.url, open_to_all) as api:
        assert api.get("/api/cameras") == {"cameras": []}
        assert api.http.get("/api/cameras", headers={"Host": "cameras.example"}).status_code == 200
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer other"}, {"Authorization": f"Basic {TOKEN}"}):
            answer = api.http.get("/api/cameras", headers=headers)
            assert "token" in refused(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        with httpx.Client(base_url=api.url) as stranger:
            assert [stranger.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200, 503, 401]


def test_a_port_in_use(session_valkey: Valkey, broker: Broker, settings: DashboardSettings) -> None:
    """It is one sentence that names the port, and nothing else is left behind."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} of 127.0.0.1 is in use by another program: .*--port"):
            run(broker, dataclasses.replace(settings, port=port), threading.Event())
    with pytest.raises(SettingsError, match=r"nothing can listen at 192\.0\.2\.1"):
        run(broker, dataclasses.replace(settings, host="192.0.2.1", token=TOKEN), threading.Event())
    assert not settings.data.exists()


def test_without_redis_it_does_not_start(settings: DashboardSettings, tmp_path: Path) -> None:
    """A Redis that is not there is one sentence at the start."""
    broker = Broker(f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(BrokerError, match="does not answer"):
        run(broker, settings, threading.Event())
    broker.close()


def test_docs_need_no_internet_and_no_script(api: Api) -> None:
    """/docs is made here; /openapi.json describes every route."""
    page = api.http.get("/docs").text
    schema = api.get("/openapi.json")
    assert "<script" not in page
    assert "://" not in page
    assert "src=" not in page
    for path in schema["paths"]:
        assert f"<td>{path}</td>" in page


def test_redis_away_is_the_one_shape_everywhere(own_valkey: Valkey, settings: DashboardSettings) -> None:
    """While Redis is away each route that needs it answers 503 at once, and is well again when Redis is."""
    with dashboard(own_valkey.url, settings) as api:
        own_valkey.kill()
        for method, path in (
            ("GET", "/api/cameras"),
            ("POST", "/api/cameras"),
            ("DELETE", "/api/cameras/x"),
            ("GET", "/api/results"),
            ("GET", "/api/stats"),
            ("GET", "/api/cameras/x/frame.jpg"),
            ("POST", "/api/photos"),
            ("GET", "/metrics"),
            ("GET", "/readyz"),
            ("GET", "/prometheus/targets"),
        ):
            body = {"content": picture()} if path == "/api/photos" else {"json": {"url": "demo"}} if method == "POST" else {}
            answer = api.http.request(method, path, **body)
            assert "does not answer: is it running?" in refused(answer, 503), path
            assert answer.json()["error"]["code"] == "BrokerError"
            assert answer.elapsed.total_seconds() < 1
        assert api.http.get("/healthz").status_code == 200
        assert own_valkey.url.rpartition("@")[2].removeprefix("redis://").partition("/")[0] not in api.http.get("/readyz").text
        own_valkey.start()
        until(lambda: api.http.get("/api/stats").is_success)
