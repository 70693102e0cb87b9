"""An RTSP camera for tests: H.264 over TCP or UDP, Basic or Digest, a process of its own so that its faults are real.

    python -m tests.cameras.rtsp --show 720=PATH.mp4 [--show 360=…] [--port N] [--auth USER:PASSWORD] [--digest] [--udp-only]
        [--fps N]

It prints its port when it listens. Frame n of every clip is sent at START + n / FPS (25), whoever watches, so the counter
stamped into a frame says when it was sent. Besides the clips by name it has these paths:

    /switch     alternates between the first two clips every 0.8 seconds: a camera that changes its resolution
    /garbage    0.8 seconds of the first clip and 1.6 seconds of noise in turn
    /silent     agrees to play and sends nothing
    /audio      describes sound only
    /bare       the first clip, described without its parameter sets, as some cameras do

RTSP 1.0: RFC 2326; H.264 in RTP: RFC 6184; Digest: RFC 7616 with MD5.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import binascii
import hashlib
import itertools
import os
import random
import re
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cameras.clips import FPS, GROUP, Unit, units_of

RTP_CLOCK = 90_000
PAYLOAD_TYPE = 96
LARGEST_PACKET = 1400
SWITCH_FRAMES = 2 * GROUP

_NAL_START = re.compile(rb"\x00\x00\x00?\x01")
_FU_A = 28
_SPS, _PPS = 7, 8


@dataclass(frozen=True, slots=True)
class Lock:
    """Who may watch: a user and a password, asked for by Basic or by Digest; open to all without a user."""

    user: str = ""
    password: str = ""
    digest: bool = False
    nonce: str = field(default_factory=lambda: os.urandom(8).hex())

    @property
    def challenge(self) -> str:
        """Return what WWW-Authenticate says."""
        return f'Digest realm="cam", nonce="{self.nonce}"' if self.digest else 'Basic realm="cam"'

    def opens(self, method: str, authorization: str) -> bool:
        """Say whether a request with this Authorization header may pass."""
        if not self.user:
            return True
        kind, _, rest = authorization.partition(" ")
        if self.digest:
            return kind == "Digest" and self._answers(method, dict(re.findall(r'(\w+)="?([^",]+)"?', rest)))
        return kind == "Basic" and _basic(rest) == f"{self.user}:{self.password}"

    def _answers(self, method: str, given: Mapping[str, str]) -> bool:
        secret = _md5(f"{self.user}:cam:{self.password}")
        request = _md5(f"{method}:{given.get('uri', '')}")
        return given.get("username") == self.user and given.get("response") == _md5(f"{secret}:{self.nonce}:{request}")


@dataclass(frozen=True, slots=True)
class Film:
    """What one path shows: the n-th coded picture since the server's start, None for nothing at all."""

    unit: Callable[[int], Unit] | None
    parameter_sets: tuple[bytes, ...] = ()

    def describe(self) -> str:
        """Return the SDP of the film."""
        sets = ",".join(base64.b64encode(nal).decode() for nal in self.parameter_sets)
        return _SDP + (
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} H264/{RTP_CLOCK}\r\n"
            f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1{f';sprop-parameter-sets={sets}' if sets else ''}\r\n"
            "a=control:track0\r\n"
        )


_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test camera\r\nt=0 0\r\na=control:*\r\n"
_SOUND_ONLY = _SDP + "m=audio 0 RTP/AVP 0\r\na=control:track0\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One RTSP request."""

    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """Return the first part of the path: the film's name."""
        return re.sub(r"^rtsps?://[^/]+/?", "", self.url).split("/")[0].split("?")[0]


class Server:
    """All films of one camera, for any number of viewers."""

    def __init__(self, clips: Mapping[str, Sequence[Unit]], lock: Lock, *, udp_only: bool = False, fps: float = FPS) -> None:
        self.lock = lock
        self.fps = fps
        self.udp_only = udp_only
        self.started = time.time()
        self.films = {name: _loop(units) for name, units in clips.items()} | _troubles(list(clips.values()))

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the viewer leaves."""
        viewer = Viewer(self, reader, writer)
        try:
            await viewer.serve()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # viewers leave as they like
        finally:
            viewer.leave()


class Viewer:
    """One connection: answers its requests, and sends it the film."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._session = os.urandom(4).hex()
        self._send: Callable[[Sequence[bytes]], None] | None = None
        self._udp: socket.socket | None = None
        self._playing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Answer requests until the connection or the session ends."""
        while (request := await _read_request(self._reader)) is not None:
            self._answer(request)
            if request.method == "TEARDOWN":
                return

    def leave(self) -> None:
        """Stop the film and close everything."""
        if self._playing:
            self._playing.cancel()
        if self._udp:
            self._udp.close()
        self._writer.close()

    def _answer(self, request: Request) -> None:
        answers = {"DESCRIBE": self._describe, "SETUP": self._set_up, "PLAY": self._play}
        if request.method == "OPTIONS":
            self._reply(request, Public="OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
        elif not self._server.lock.opens(request.method, request.headers.get("authorization", "")):
            self._reply(request, "401 Unauthorized", WWW_Authenticate=self._server.lock.challenge)
        elif request.path not in self._server.films and request.path != "audio":
            self._reply(request, "404 Not Found")
        elif request.method in answers:
            answers[request.method](request)
        else:
            self._reply(request, Session=self._session)

    def _describe(self, request: Request) -> None:
        body = _SOUND_ONLY if request.path == "audio" else self._server.films[request.path].describe()
        base = request.url.rstrip("/") + "/"
        self._reply(request, body=body, Content_Base=base, Content_Type="application/sdp")

    def _set_up(self, request: Request) -> None:
        wanted = request.headers.get("transport", "")
        interleaved = re.search(r"interleaved=(\d+)-(\d+)", wanted)
        ports = re.search(r"client_port=(\d+)-(\d+)", wanted)
        if interleaved and not self._server.udp_only:
            channel = int(interleaved[1])
            self._send = lambda packets: self._writer.write(b"".join(_interleave(channel, packets)))
            transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        elif ports:
            own_port = self._open_udp((self._writer.get_extra_info("peername")[0], int(ports[1])))
            transport = f"RTP/AVP;unicast;client_port={ports[1]}-{ports[2]};server_port={own_port}-{own_port + 1}"
        else:
            self._reply(request, "461 Unsupported Transport")
            return
        self._reply(request, Transport=transport, Session=f"{self._session};timeout=60")

    def _open_udp(self, viewer: tuple[str, int]) -> int:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((self._writer.get_extra_info("sockname")[0], 0))
        udp.setblocking(False)

        def send(packets: Sequence[bytes]) -> None:
            for packet in packets:
                udp.sendto(packet, viewer)

        self._udp, self._send = udp, send
        return int(udp.getsockname()[1])

    def _play(self, request: Request) -> None:
        self._reply(request, Session=self._session, RTP_Info=f"url={request.url}/track0;seq=0;rtptime=0")
        film = self._server.films.get(request.path)
        unit = film.unit if film else None
        if unit is not None and self._send is not None and self._playing is None:
            self._playing = asyncio.create_task(self._show(unit, self._send))

    async def _show(self, unit: Callable[[int], Unit], send: Callable[[Sequence[bytes]], None]) -> None:
        packer = Packer(self._server.fps)
        for number in itertools.count(self._first_key_frame(unit)):
            await asyncio.sleep(self._server.started + number / self._server.fps - time.time())
            coded = unit(number)
            try:
                send(packer.pack(coded, number))
            except BlockingIOError:
                continue  # a full UDP buffer loses packets, as on any network
            await self._writer.drain()

    def _first_key_frame(self, unit: Callable[[int], Unit]) -> int:
        now = int((time.time() - self._server.started) * self._server.fps) + 1
        return next(number for number in range(now, now + 1000) if unit(number).is_key)

    def _reply(self, request: Request, status: str = "200 OK", body: str = "", **headers: str) -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {request.headers.get('cseq', '0')}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


class Packer:
    """Puts coded pictures into RTP packets that follow one another."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._sequence = random.randrange(30_000)
        self._source = random.getrandbits(32)

    def pack(self, unit: Unit, number: int) -> list[bytes]:
        """Return the packets of the coded picture that is sent as the `number`-th."""
        moment = int((number + unit.shown) * RTP_CLOCK / self._fps) & 0xFFFFFFFF
        payloads = _payloads(unit)
        packets = []
        for place, payload in enumerate(payloads):
            marker = 0x80 if place == len(payloads) - 1 else 0
            header = struct.pack("!BBHII", 0x80, PAYLOAD_TYPE | marker, self._sequence & 0xFFFF, moment, self._source)
            packets.append(header + payload)
            self._sequence += 1
        return packets


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request, passing over RTCP that comes in between; None when the viewer has left."""
    while True:
        line = await reader.readline()
        if not line:
            return None
        if line.startswith(b"$"):
            await _skip_interleaved(reader, line)
        elif line.strip():
            method, url, _ = line.decode("latin1").split(" ", 2)
            return Request(method, url, await _read_headers(reader))


async def _skip_interleaved(reader: asyncio.StreamReader, begun: bytes) -> None:
    """Read over a binary packet of which `readline` took a first part, by chance even several."""
    while begun.startswith(b"$"):
        begun += await reader.readexactly(max(0, 4 - len(begun)))
        length = 4 + struct.unpack("!H", begun[2:4])[0]
        begun += await reader.readexactly(max(0, length - len(begun)))
        begun = begun[length:]


async def _read_headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers = {}
    while line := (await reader.readline()).decode("latin1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    await reader.readexactly(int(headers.get("content-length", "0")))
    return headers


def _interleave(channel: int, packets: Sequence[bytes]) -> Iterator[bytes]:
    for packet in packets:
        yield struct.pack("!cBH", b"$", channel, len(packet))
        yield packet


_packed: dict[bytes, list[bytes]] = {}


def _payloads(unit: Unit) -> list[bytes]:
    """Return the RTP payloads of a coded picture; clips loop, so each is cut up once."""
    if unit.data not in _packed:
        _packed[unit.data] = [piece for nal in _nals(unit.data) for piece in _pieces(nal)]
    return _packed[unit.data]


def _pieces(nal: bytes) -> list[bytes]:
    """Return a NAL unit as it is, or as fragments (FU-A) where it does not fit into one packet."""
    if len(nal) <= LARGEST_PACKET:
        return [nal]
    indicator, kind, body = (nal[0] & 0xE0) | _FU_A, nal[0] & 0x1F, nal[1:]
    chunks = [body[start : start + LARGEST_PACKET] for start in range(0, len(body), LARGEST_PACKET)]
    last = len(chunks) - 1
    marks = [(0x80 if place == 0 else 0) | (0x40 if place == last else 0) for place in range(len(chunks))]
    return [bytes([indicator, kind | mark]) + chunk for mark, chunk in zip(marks, chunks, strict=True)]


def _nals(data: bytes) -> list[bytes]:
    return [nal for nal in _NAL_START.split(data) if nal]


def _parameter_sets(units: Sequence[Unit]) -> tuple[bytes, ...]:
    return tuple(nal for nal in _nals(units[0].data) if nal[0] & 31 in (_SPS, _PPS))


def _loop(units: Sequence[Unit]) -> Film:
    offset = [Unit(unit.data, unit.is_key, unit.shown - place) for place, unit in enumerate(units)]
    return Film(lambda number: offset[number % len(offset)], _parameter_sets(units))


def _troubles(clips: Sequence[Sequence[Unit]]) -> dict[str, Film]:
    """Return the films that are no film: see the module's docstring."""
    first, second = _loop(clips[0]), _loop(clips[min(1, len(clips) - 1)])
    noise = random.Random(5)

    def switching(number: int) -> Unit:
        film = first if number // SWITCH_FRAMES % 2 == 0 else second
        return film.unit(number)  # type: ignore[misc]  # both are films

    def spoiled(number: int) -> Unit:
        if number // SWITCH_FRAMES % 3 == 0:
            return first.unit(number)  # type: ignore[misc]  # it is a film
        return Unit(b"\x00\x00\x00\x01\x41" + noise.randbytes(600), False, 0)

    sets = first.parameter_sets
    return {
        "switch": Film(switching, sets),
        "garbage": Film(spoiled, sets),
        "silent": Film(None, sets),
        "bare": Film(first.unit),
    }


def _basic(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


async def _run(arguments: argparse.Namespace) -> None:
    shown = dict(pair.split("=", 1) for pair in arguments.show)
    user, _, password = arguments.auth.partition(":")
    clips = {name: units_of(Path(path)) for name, path in shown.items()}
    camera = Server(clips, Lock(user, password, arguments.digest), udp_only=arguments.udp_only, fps=arguments.fps)
    server = await asyncio.start_server(camera.welcome, "127.0.0.1", arguments.port)
    print(server.sockets[0].getsockname()[1], camera.started, flush=True)  # noqa: T201 # its interface
    await server.serve_forever()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cameras.rtsp")
    parser.add_argument("--show", action="append", required=True, metavar="NAME=PATH")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--auth", default="")
    parser.add_argument("--digest", action="store_true")
    parser.add_argument("--udp-only", action="store_true")
    parser.add_argument("--fps", type=float, default=FPS)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        asyncio.run(_run(_arguments()))
    except KeyboardInterrupt:
        sys.exit(0)
