"""A slow line on this machine: a TCP proxy with a delay each way and one uplink for all connections; TLS ends behind it.

    python -m bench.proxy TO_PORT ONE_WAY_SECONDS UPLINK_BITS_A_SECOND CERTIFICATE KEY

It prints the port to call by https. Buffers are small and segments as short as on Ethernet, so that a full line is felt by the
sender, as it is by one whose modem is full; what TCP itself does on a long line (slow start, losses) is not imitated.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CHUNK_BYTES = 4096
BUFFER_BYTES = 16 * 1024
SEGMENT_BYTES = 1448
LAG_SECONDS = 0.005  # how far the line may catch up on time that the event loop slept too long

Send = Callable[[int], Awaitable[None]]


class Line:
    """A line that carries `bits_per_second` for all its users together, a chunk after the other."""

    def __init__(self, bits_per_second: float) -> None:
        self._seconds_per_byte = 8 / bits_per_second
        self._free_at = 0.0

    async def send(self, count: int) -> None:
        """Return when the last of `count` bytes is on its way."""
        self._free_at = max(self._free_at, time.monotonic() - LAG_SECONDS) + count * self._seconds_per_byte
        await asyncio.sleep(self._free_at - time.monotonic())


async def at_once(count: int) -> None:  # a line without a limit
    """Be a line that is never full."""


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, send: Send, delay: float) -> None:
    """Carry bytes from one socket to another: each chunk over the line first, then `delay` seconds long on its way."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, chunk = await under_way.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            writer.write(chunk)
            if not chunk:
                return
            await writer.drain()

    delivery = asyncio.create_task(deliver())
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(CHUNK_BYTES):
            await send(len(chunk))
            under_way.put_nowait((time.monotonic() + delay, chunk))
    under_way.put_nowait((0.0, b""))
    with contextlib.suppress(ConnectionError, OSError):
        await delivery
        writer.close()


async def relay(
    port: int, to: int, up: Send = at_once, delay: float = 0.0, tls: ssl.SSLContext | None = None
) -> asyncio.Server:
    """Listen on loopback and carry each connection to the port `to`; with `tls` it is ended here."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", to, limit=BUFFER_BYTES)
        await asyncio.gather(carry(reader, back, up, delay), carry(there, writer, at_once, delay))

    listening = socket.socket()
    if up is not at_once:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    listening.bind(("127.0.0.1", port))
    return await asyncio.start_server(serve, sock=listening, backlog=256, limit=CHUNK_BYTES, ssl=tls)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 that is valid for a day, and its key; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    unlocked = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unlocked))
    return paths


async def main() -> None:
    to, one_way, bits_per_second, certificate, key = sys.argv[1:]
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    ending = await relay(0, int(to), tls=tls)
    line = await relay(0, port_of(ending), Line(float(bits_per_second)).send, float(one_way))
    print(port_of(line), flush=True)
    async with ending, line:
        await line.serve_forever()


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())
