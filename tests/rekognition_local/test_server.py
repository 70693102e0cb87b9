"""The server speaks plain HTTP/1.1, stays on loopback, uses all cores, and ends within a second."""

import base64
import contextlib
import http.client
import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.errors import PortInUse, SettingsError
from rekognition_local.rehearsal import Rehearsal
from rekognition_local.server import Server, ServerSettings
from rekognition_local.wire import MAX_BODY
from tests.rekognition_local.conftest import client_for, serving
from tests.vision.scenes import HOPPER, portrait_bytes

EMPTY = {"DetectFaces": lambda _params: {"FaceDetails": []}}
CALL = json.dumps({"Image": {"Bytes": "eHh4"}}).encode()
REAL_CALL = json.dumps({"Image": {"Bytes": base64.b64encode(portrait_bytes(HOPPER)).decode()}}).encode()
HEADERS = {"X-Amz-Target": "RekognitionService.DetectFaces"}


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"))
    yield connection
    connection.close()


def _exchange(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response, response.read()


def test_it_says_that_it_is_up(connection):
    response, body = _exchange(connection, "GET", "/healthz")
    assert (response.status, json.loads(body)) == (200, {"status": "ok"})


def test_a_connection_is_kept_for_many_calls_and_each_has_its_own_id(connection):
    ids = set()
    for _ in range(5):
        response, _ = _exchange(connection, "POST", "/", CALL, HEADERS)
        assert response.version == 11
        assert response.getheader("Date")
        assert response.getheader("Content-Type") == "application/x-amz-json-1.1"
        ids.add(response.getheader("x-amzn-RequestId"))
        opened = connection.sock
        assert opened is not None
    assert len(ids) == 5


def test_many_small_calls_do_not_wait_for_nagle():
    with Server(operations=EMPTY) as server:
        connection = http.client.HTTPConnection(*server.url.removeprefix("http://").split(":"))
        started = time.perf_counter()
        for _ in range(150):
            _exchange(connection, "POST", "/", CALL, HEADERS)
        assert time.perf_counter() - started < 5.5  # with the delay of 40 ms it takes 6
        connection.close()


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/favicon.ico"), ("PUT", "/stats")])
def test_a_path_that_is_not_here_is_404(connection, method, path):
    response, body = _exchange(connection, method, path, b"" if method == "PUT" else None)
    assert response.status == 404
    assert "error" in json.loads(body)


def test_a_call_without_a_target_is_unknown(connection):
    response, body = _exchange(connection, "POST", "/", b"{}")
    assert response.status == 400
    assert json.loads(body)["__type"] == "UnknownOperationException"


@pytest.mark.parametrize(
    ("length", "status"), [("-5", 400), ("many", 400), (str(MAX_BODY + 1), 413)], ids=["negative", "word", "too large"]
)
def test_a_body_of_an_impossible_length_is_refused(connection, length, status):
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == status


def test_a_body_in_chunks_is_refused_with_what_to_do(connection):
    response, body = _exchange(connection, "POST", "/", iter([b"{}"]), {"Transfer-Encoding": "chunked"})
    assert response.status == 411
    assert b"Content-Length" in body


def test_a_client_that_goes_away_disturbs_nobody(server, connection):
    with socket.create_connection(server.url.removeprefix("http://").split(":")) as half:
        half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\nonly this")
    response, _ = _exchange(connection, "GET", "/healthz")
    assert response.status == 200


def test_what_breaks_inside_is_an_internal_error_with_the_requests_id(caplog):
    def broken(_params):
        raise ZeroDivisionError("a bug")

    with Server(operations={"DetectFaces": broken}) as server:
        client = client_for(server.url)
        with pytest.raises(client.exceptions.InternalServerError) as raised:
            client.detect_faces(Image={"Bytes": b"xxx"})
        client.close()
    meta = raised.value.response["ResponseMetadata"]
    assert meta["HTTPStatusCode"] == 500
    assert meta["RequestId"] in str(raised.value)
    assert "a bug" in caplog.text


def test_several_calls_are_at_work_at_once_but_no_more_than_there_are_cores():
    both, lock, busy, most = threading.Barrier(2, timeout=10), threading.Lock(), 0, 0

    def work(_params):
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        both.wait()  # passes only when two are at work together
        with lock:
            busy -= 1
        return {"FaceDetails": []}

    with Server(ServerSettings(cores=2), {"DetectFaces": work}) as server:
        client = client_for(server.url)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: client.detect_faces(Image={"Bytes": b"xxx"}), range(8)))
        client.close()
    assert most == 2


def test_many_clients_get_the_answers_to_their_own_pictures(server):
    pictures = [portrait_bytes(HOPPER), b"GIF89a"] * 8
    client = client_for(server.url)

    def outcome(picture):
        try:
            return len(client.detect_faces(Image={"Bytes": picture})["FaceDetails"])
        except client.exceptions.InvalidImageFormatException:
            return "no picture"

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(outcome, pictures)) == [1, "no picture"] * 8
    client.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.com", ""])
def test_beyond_loopback_it_wants_keys(host):
    with pytest.raises(
        SettingsError, match=r"others could reach .* --access-key and --secret-key .* or leave it at 127\.0\.0\.1"
    ):
        Server(ServerSettings(host=host), EMPTY)


def test_a_port_in_use_is_named():
    with Server(operations=EMPTY) as server:
        port = int(server.url.rpartition(":")[2])
        second = Server(ServerSettings(port=port), EMPTY)
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port} .* choose another port"):
            second.__enter__()


def test_one_connection_too_many_is_refused_and_the_others_go_on(monkeypatch):
    monkeypatch.setattr("rekognition_local.wire.MAX_CONNECTIONS", 3)
    with Server(operations=EMPTY) as server:
        connections = [http.client.HTTPConnection(server.url.removeprefix("http://")) for _ in range(4)]
        *kept, extra = connections
        assert [_exchange(connection, "POST", "/", CALL, HEADERS)[0].status for connection in kept] == [200] * 3
        extra.connect()
        assert extra.sock.recv(1000).startswith(b"HTTP/1.1 503 ")
        kept[0].close()
        while not _is_answered(extra):  # until the server has seen that the first one went
            pass
        assert _exchange(kept[1], "POST", "/", CALL, HEADERS)[0].status == 200
        for connection in connections:
            connection.close()


def _is_answered(connection):
    connection.close()
    with contextlib.suppress(OSError, http.client.HTTPException):
        return _exchange(connection, "POST", "/", CALL, HEADERS)[0].status == 200
    return False


def test_a_client_that_reads_nothing_does_not_hold_up_the_end():
    large = {"DetectFaces": lambda _params: {"FaceDetails": [], "Filler": "x" * 30_000_000}}
    with Server(operations=large) as server:
        silent = socket.create_connection(server.url.removeprefix("http://").split(":"))
        silent.sendall(
            b"POST / HTTP/1.1\r\nX-Amz-Target: RekognitionService.DetectFaces\r\nContent-Length: %d\r\n\r\n" % len(CALL) + CALL
        )
        while server.stats["operations"].get("DetectFaces") is None:
            assert silent.fileno() > 0
        started = time.perf_counter()
    assert time.perf_counter() - started < 3
    silent.close()


@pytest.mark.parametrize("path", ["/healthz", "/healthz?probe=1"])
def test_health_is_told_to_probes_of_all_kinds(connection, path):
    for method in ("GET", "HEAD"):
        response, body = _exchange(connection, method, path)
        assert response.status == 200
        assert bool(body) == (method == "GET")


def test_health_reads_no_body(connection):
    connection.request("GET", "/healthz", b"x" * 100)
    response = connection.getresponse()
    assert (response.status, response.getheader("Connection")) == (200, "close")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", b"400"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", b"400"),
        (b"Host: [\r\nContent-Length: 2\r\n", b"400"),
        (b"X-Amz-Target: a.b\r\nContent-Length: 2\r\n", b"400"),
        (b"Content-Length:   2  \r\n", b"200"),
    ],
)
def test_odd_headers_have_an_answer(lines, status):
    listing = {"ListCollections": lambda _params: {"CollectionIds": []}}
    with Server(operations=listing) as server, socket.create_connection(server.url.removeprefix("http://").split(":")) as raw:
        raw.settimeout(10)
        raw.sendall(b"POST / HTTP/1.1\r\nX-Amz-Target: RekognitionService.ListCollections\r\n" + lines + b"\r\n{}")
        assert raw.recv(100).startswith(b"HTTP/1.1 " + status)


def test_closing_ends_calls_that_only_wait_and_idle_connections():
    with Server(ServerSettings(rehearsal=Rehearsal(latency=60)), EMPTY) as server:
        address = server.url.removeprefix("http://").split(":")
        idle, waiting = http.client.HTTPConnection(*address), http.client.HTTPConnection(*address)
        _exchange(idle, "GET", "/healthz")
        waiting.request("POST", "/", CALL, HEADERS)
        while server.stats["in_flight"] == 0:
            _exchange(idle, "GET", "/healthz")
        started = time.perf_counter()
    assert time.perf_counter() - started < 5
    assert waiting.getresponse().status == 200
    idle.close()
    waiting.close()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_a_second_with_calls_still_waiting(tmp_path, name):
    with serving(tmp_path, "--latency", "60") as (process, url):
        connections = [http.client.HTTPConnection(*url.removeprefix("http://").split(":")) for _ in range(9)]
        for waiting in connections[:8]:
            waiting.request("POST", "/", REAL_CALL, HEADERS)
        while json.loads(_exchange(connections[8], "GET", "/stats")[1])["in_flight"] < 8:
            assert process.poll() is None
        started = time.perf_counter()
        process.send_signal(name)
        assert process.wait(timeout=5) == 0
        assert time.perf_counter() - started < 4  # without it, 60
        for connection in connections:
            connection.close()


def test_closing_refuses_the_calls_that_wait_for_a_core_and_answers_those_at_work():
    at_work, release = threading.Event(), threading.Event()

    def work(_params):
        at_work.set()
        release.wait(10)
        return {"FaceDetails": []}

    with ThreadPoolExecutor(2) as pool:
        with Server(ServerSettings(cores=1), {"DetectFaces": work}) as server:
            client = client_for(server.url)
            first = pool.submit(client.detect_faces, Image={"Bytes": b"xxx"})
            assert at_work.wait(10)
            second = pool.submit(client.detect_faces, Image={"Bytes": b"xxx"})
            second.add_done_callback(lambda _: release.set())
            while server.stats["in_flight"] < 2:
                assert not second.done()
        assert first.result()["FaceDetails"] == []
        with pytest.raises(client.exceptions.InternalServerError, match="is closing"):
            second.result()
        client.close()
