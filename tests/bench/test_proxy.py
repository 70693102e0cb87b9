"""The slow line: as slow as it is said to be, for all its users together, and trusted by its certificate."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

from bench import proxy

BITS_PER_SECOND = 8e6
ONE_WAY = 0.02


async def answer_whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one byte for each line of bytes, when it has arrived whole."""
    while await reader.readline():
        writer.write(b".")
        await writer.drain()
    writer.close()


async def seconds_of_calls(line_bytes: int, calls: int, port: int, trust: ssl.SSLContext | None = None) -> list[float]:
    """Send a line of bytes on each of `calls` connections at once through a slow line; return how long each answer took."""
    line = proxy.SlowLine(port, proxy.Line(BITS_PER_SECOND).send, ONE_WAY)
    serving = asyncio.create_task(line.serve_forever())

    async def call() -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port, ssl=trust)
        began = time.monotonic()
        writer.write(b"x" * (line_bytes - 1) + b"\n")
        await reader.readexactly(1)
        took = time.monotonic() - began
        writer.close()
        return took

    took = await asyncio.gather(*(call() for _ in range(calls)))
    while len(asyncio.all_tasks()) > 2:  # the connections end one after the other
        await asyncio.sleep(0.01)
    serving.cancel()
    return took


async def plain(line_bytes: int, calls: int) -> list[float]:
    async with await asyncio.start_server(answer_whole, "127.0.0.1", 0, limit=2**20) as service:
        return await seconds_of_calls(line_bytes, calls, proxy.port_of(service))


async def by_tls(certificate: Path, key: Path) -> list[float]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    async with (
        await asyncio.start_server(answer_whole, "127.0.0.1", 0) as service,
        await proxy.end_tls(proxy.port_of(service), tls) as ending,
    ):
        return await seconds_of_calls(10, 1, proxy.port_of(ending), ssl.create_default_context(cafile=str(certificate)))


def test_a_small_call_takes_the_way_there_and_back() -> None:
    (took,) = asyncio.run(plain(10, 1))
    assert 2 * ONE_WAY <= took < 2 * ONE_WAY + 1


def test_all_connections_share_the_uplink() -> None:
    """Four times 100 KB at 1 MB/s: the last is there after 0.4 s, whoever it is."""
    took = asyncio.run(plain(100_000, 4))
    assert 0.38 <= max(took) < 0.8
    assert min(took) > 0.25  # they take turns


def test_tls_is_ended_behind_the_line_by_a_certificate_that_can_be_trusted(tmp_path: Path) -> None:
    (took,) = asyncio.run(by_tls(*proxy.make_certificate(tmp_path)))
    assert took >= 2 * ONE_WAY
