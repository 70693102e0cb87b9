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
BUFFER_BYTES = 8 * 1024  # of a connection, in the kernel: what a full router's queue holds for each of some thirty
SEGMENT_BYTES = 1448
LAG_SECONDS = 0.005  # how far the line may catch up on time that the event loop slept too long
LOOPBACK = "127.0.0.1"

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


async def at_once(count: int) -> None:
    """Be a line that is never full."""


class SlowLine:
    """Listens on `port` of loopback and carries each connection to the port `to` and back, `delay` seconds each way."""

    def __init__(self, to: int, up: Send, delay: float) -> None:
        self._to, self._up, self._delay = to, up, delay
        self._socket = socket.socket()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.bind((LOOPBACK, 0))
        self._socket.listen(256)
        self._socket.setblocking(False)
        self._users: set[asyncio.Task[None]] = set()
        self.port: int = self._socket.getsockname()[1]

    async def serve_forever(self) -> None:
        loop = asyncio.get_running_loop()
        with self._socket:
            while True:
                near, _ = await loop.sock_accept(self._socket)
                user = asyncio.create_task(self._serve(near))
                self._users.add(user)
                user.add_done_callback(self._users.discard)

    async def _serve(self, near: socket.socket) -> None:
        with near, socket.socket() as far:
            far.setblocking(False)
            await asyncio.get_running_loop().sock_connect(far, (LOOPBACK, self._to))
            await asyncio.gather(carry(near, far, self._up, self._delay), carry(far, near, at_once, self._delay))


async def carry(source: socket.socket, target: socket.socket, send: Send, delay: float) -> None:
    """Carry bytes from one socket to another: each chunk over the line first, then `delay` seconds long on its way."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    delivery = asyncio.create_task(deliver(under_way, target))
    with contextlib.suppress(OSError):
        while chunk := await loop.sock_recv(source, CHUNK_BYTES):
            await send(len(chunk))
            under_way.put_nowait((time.monotonic() + delay, chunk))
    under_way.put_nowait((time.monotonic() + delay, b""))
    await delivery


async def deliver(under_way: asyncio.Queue[tuple[float, bytes]], target: socket.socket) -> None:
    """Hand over each chunk when it is due; the empty one ends the connection in this direction."""
    with contextlib.suppress(OSError):
        while True:
            due, chunk = await under_way.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not chunk:
                target.shutdown(socket.SHUT_WR)
                return
            await asyncio.get_running_loop().sock_sendall(target, chunk)


async def end_tls(to: int, tls: ssl.SSLContext) -> asyncio.Server:
    """Listen on loopback, end TLS there and pass what it held to the port `to`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(LOOPBACK, to)
        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))

    return await asyncio.start_server(serve, LOOPBACK, 0, backlog=256, ssl=tls)


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(2**16):
            writer.write(chunk)
            await writer.drain()
    writer.close()


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
    async with await end_tls(int(to), tls) as ending:
        line = SlowLine(port_of(ending), Line(float(bits_per_second)).send, float(one_way))
        print(line.port, flush=True)
        await line.serve_forever()


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())
