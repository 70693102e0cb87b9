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


async def seconds_of_calls(
    line_bytes: int, calls: int, tls: ssl.SSLContext | None, trust: ssl.SSLContext | None
) -> list[float]:
    """Send a line of bytes on each of `calls` connections at once through the line; return how long each answer took."""
    service = await asyncio.start_server(answer_whole, "127.0.0.1", 0, limit=2**20)
    ending = await proxy.relay(0, proxy.port_of(service), tls=tls)
    line = await proxy.relay(0, proxy.port_of(ending), proxy.Line(BITS_PER_SECOND).send, ONE_WAY)

    async def call() -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port_of(line), ssl=trust)
        began = time.monotonic()
        writer.write(b"x" * (line_bytes - 1) + b"\n")
        await reader.readexactly(1)
        took = time.monotonic() - began
        writer.close()
        return took

    async with service, ending, line:
        took = await asyncio.gather(*(call() for _ in range(calls)))
        while len(asyncio.all_tasks()) > 1:  # the connections end one after the other
            await asyncio.sleep(0.01)
        return took


def test_a_small_call_takes_the_way_there_and_back() -> None:
    (took,) = asyncio.run(seconds_of_calls(10, 1, None, None))
    assert 2 * ONE_WAY <= took < 2 * ONE_WAY + 0.1


def test_all_connections_share_the_uplink() -> None:
    """Four times 100 KB at 1 MB/s: the last is there after 0.4 s, whoever it is."""
    took = asyncio.run(seconds_of_calls(100_000, 4, None, None))
    assert 0.38 <= max(took) < 0.8
    assert min(took) > 0.25  # they take turns


def test_tls_is_ended_behind_the_line_by_a_certificate_that_can_be_trusted(tmp_path: Path) -> None:
    certificate, key = proxy.make_certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    (took,) = asyncio.run(seconds_of_calls(10, 1, tls, ssl.create_default_context(cafile=str(certificate))))
    assert took >= 2 * ONE_WAY
