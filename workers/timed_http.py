"""Tells sending from waiting inside one HTTP call of botocore: what the uplink takes, and what the service takes.

The kernel's TCP_NOTSENT_LOWAT keeps unsent bytes out of the socket's buffer, so that the moment the last byte was accepted
is, but for a few packets, the moment it went out; for those, the call waits until they are acknowledged, and for the last
acknowledgement, which receivers like to keep back for 40 ms, no longer than the way there and back takes. botocore has no
public place for connection classes: `time_calls` is the one place that reaches into it, and
tests/workers/test_rekognition.py fails when a release moves it.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import threading
import time
from typing import Any

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool

if sys.platform == "linux":
    import fcntl
    import termios

UNSENT_BYTES = 16 * 1024
LOOK_SECONDS = 0.002
LONGEST_WAIT_SECONDS = 10.0
_NOTSENT_AT, _TCP_INFO_BYTES = 144, 152  # tcpi_notsent_bytes, and after it tcpi_min_rtt in microseconds


class _Call(threading.local):
    sent_at = 0.0
    answered_at = 0.0


_call = _Call()


def last_call() -> tuple[float, float]:
    """Return when this thread's last call was sent whole, and when its answer began, in seconds of time.monotonic()."""
    return _call.sent_at, _call.answered_at


def forget_last_call() -> None:
    """Make sure that the next `last_call` does not speak of an earlier call."""
    _call.sent_at = _call.answered_at = 0.0


def time_calls(client: Any) -> None:
    """Let a boto3 client's connections note their times for `last_call`."""
    manager = client._endpoint.http_session._manager
    manager.pool_classes_by_scheme = {"http": _TimedHTTPPool, "https": _TimedHTTPSPool}


class _Timed:
    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # a mixin: the connection class stands behind it
        sock: socket.socket | None = getattr(self, "sock", None)
        if sock is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def getresponse(self) -> Any:
        _wait_until_sent(getattr(self, "sock", None))
        _call.sent_at = time.monotonic()
        response = super().getresponse()  # type: ignore[misc]  # a mixin: the connection class stands behind it
        _call.answered_at = time.monotonic()
        return response


def _wait_until_sent(sock: socket.socket | None) -> None:
    """Wait while the last bytes are under way (Linux), or until the answer begins, which ends it as well."""
    if sock is None or sys.platform != "linux":
        return
    deadline = time.monotonic() + (sock.gettimeout() or LONGEST_WAIT_SECONDS)
    answer = select.poll()
    answer.register(sock, select.POLLIN)
    is_out = False
    while _unacknowledged(sock) and time.monotonic() < deadline:
        unsent, way = _unsent_and_way(sock)
        if not unsent and not is_out:
            is_out, deadline = True, time.monotonic() + way
        if answer.poll(LOOK_SECONDS * 1000):
            return


def _unacknowledged(sock: socket.socket) -> int:
    """Return how many bytes the other side has not acknowledged."""
    return int.from_bytes(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def _unsent_and_way(sock: socket.socket) -> tuple[int, float]:
    """Return how many bytes have not gone out, and the shortest time there and back in seconds (linux/tcp.h: tcp_info)."""
    about = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    if len(about) < _TCP_INFO_BYTES:  # a kernel before 4.6 does not tell
        return 1, 0.0
    unsent, micros = struct.unpack_from("=II", about, _NOTSENT_AT)
    return unsent, micros / 1e6


class _TimedHTTPConnection(_Timed, AWSHTTPConnection):  # type: ignore[misc]  # botocore-stubs: two bases differ
    pass


class _TimedHTTPSConnection(_Timed, AWSHTTPSConnection):  # type: ignore[misc]  # botocore-stubs: two bases differ
    pass


class _TimedHTTPPool(AWSHTTPConnectionPool):
    ConnectionCls = _TimedHTTPConnection


class _TimedHTTPSPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TimedHTTPSConnection
