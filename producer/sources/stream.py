"""Everything that FFmpeg reads: RTSP, HTTP MJPEG, HLS, video over HTTP, and video files."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipeline.errors import (
    CameraError,
    CameraNotFound,
    CameraNotVideo,
    CameraUnauthorized,
    CameraUnreachable,
    PictureError,
    UnsupportedSource,
    redact,
)
from producer.sources.base import CameraFroze, Grey, Image, Moment, Picture, Unreadable, grey_of, halved
from producer.sources.lateness import Lateness

STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
OPEN_SECONDS = 4.0
READ_SECONDS = 4.0
FAR_BEHIND_SECONDS, CAUGHT_UP_SECONDS = 1.0, 0.25
HLS_READ_SECONDS = 15.0  # a playlist grows by one segment at a time, and segments last up to 10 s

_HASTY = {"fpsprobesize": "0", "analyzeduration": "500000"}  # do not collect frames to find out how many a second there are
_RTSP = {
    "probesize": "32",  # the SDP names the codec, the first key frame the rest: nothing needs to be buffered, or thrown away
    "rtsp_transport": "tcp+udp",
    "rtsp_flags": "prefer_tcp",  # UDP only where TCP is refused
    "allowed_media_types": "video",
    "protocol_whitelist": "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,httpproxy",
}
_HTTP = {"protocol_whitelist": "http,https,tcp,tls,httpproxy,crypto"}
_FILE = {"protocol_whitelist": "file,crypto,data"}
_LIGHT_APART = frozenset(
    ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv440p", "yuvj440p", "nv12", "nv21", "gray")
)  # a byte a pixel, in a plane of its own


def open_stream(url: str, *, open_seconds: float = OPEN_SECONDS, read_seconds: float | None = None) -> StreamSource:
    """Open a network stream; raises CameraError.

    RTSP goes over TCP, and over UDP where the camera refuses TCP or the URL ends in ``?udp``. Opening takes at most twice
    `open_seconds`; `read_seconds` without a picture mean frozen.
    """
    patience = read_seconds or _patience(url)
    where, options = _options(url)
    began = time.monotonic()
    try:
        container = av.open(where, options=options, timeout=(open_seconds, patience))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if time.monotonic() - began >= open_seconds:  # whatever FFmpeg made of being interrupted
            raise _silent(url, open_seconds) from None
        raise _explained(url, error, open_seconds) from None
    return _first_video(container, url, patience, is_live=not container.duration)


def open_file(path: Path) -> StreamSource:
    """Open a video file, read as fast as it is asked for; raises CameraNotFound, CameraUnauthorized or CameraNotVideo."""
    try:
        container = av.open(str(path), options=dict(_FILE))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _explained(str(path), error, 0.0) from None
    return _first_video(container, str(path), patience=60.0, is_live=False)


class StreamSource:
    """One video of an open container, frame by frame; of a live one, its end is an error."""

    def __init__(self, container: InputContainer, stream: VideoStream, url: str, *, patience: float, is_live: bool) -> None:
        self._container = container
        self._url = url
        self._is_live = is_live
        self._packets: Iterator[Packet[VideoStream]] = container.demux(stream)
        self._decoded: Iterator[VideoFrame] = iter(())
        self._frame: VideoFrame | None = None
        self._converter = _Converter()
        self._decoder = stream.codec_context
        self._waited = 0.0
        self.patience = patience
        self.codec: str = stream.codec_context.codec.canonical_name
        self.paced = not is_live or "hls" in container.format.name
        self._lateness = Lateness() if container.format.name == "rtsp" else None  # others make their time stamps up

    def advance(self) -> Moment | None:
        """Read the next undamaged frame; None at the end of a file. Raises CameraError."""
        deadline = time.monotonic() + self.patience
        while True:
            for frame in self._decoded:
                if not frame.is_corrupt:
                    self._frame = frame
                    return Moment(frame.width, frame.height, frame.time, self._late(frame))
            if time.monotonic() > deadline:
                raise CameraNotVideo(f"{self._url} sends data, but no picture in it can be decoded: look at its settings")
            packet = self._next_packet()
            if packet is None:
                self._accept_end()
                return None
            self._decoded = _decode(packet)

    def picture(self) -> Picture:
        """Return the frame read last; it is converted when it is asked for its pixels."""
        if self._frame is None:
            return Unreadable(f"no frame of {self._url} was read yet")
        return _StreamPicture(self._frame, self._converter)

    def close(self) -> None:
        """Close the connection, or the file."""
        self._decoded = iter(())
        self._frame = None
        self._container.close()

    def _late(self, frame: VideoFrame) -> float:
        """Return how late the frame is read; a reader that is far behind decodes key frames only until it has caught up."""
        if self._lateness is None or frame.time is None:
            return 0.0
        late = self._lateness.of(frame.time, time.monotonic(), self._waited)
        self._waited = 0.0
        if late > FAR_BEHIND_SECONDS:
            self._decoder.skip_frame = "NONKEY"
        elif frame.key_frame and late < CAUGHT_UP_SECONDS:
            self._decoder.skip_frame = "DEFAULT"
        return late

    def _next_packet(self) -> Packet[VideoStream] | None:
        began = time.monotonic()
        try:
            packet = next(self._packets, None)
        except av.error.ExitError:
            raise self._frozen() from None
        except av.error.EOFError:
            return None
        except (av.error.FFmpegError, OSError) as error:
            raise _explained(self._url, error, self.patience) from None
        waited = time.monotonic() - began
        self._waited += waited
        if self._is_live and waited > self.patience:
            raise self._frozen()  # FFmpeg gives up by handing out what it still had: it is as old as the freeze
        return packet

    def _frozen(self) -> CameraFroze:
        return CameraFroze(f"{self._url} has sent nothing for {self.patience:g} s: is the camera hanging?")

    def _accept_end(self) -> None:
        if self._is_live:
            raise CameraUnreachable(f"{self._url} ended the stream: the camera went away or restarts")


class _StreamPicture:
    """A decoded frame, in the camera's own colours until someone wants to see it."""

    __slots__ = ("_converter", "_frame")

    def __init__(self, frame: VideoFrame, converter: _Converter) -> None:
        self._frame = frame
        self._converter = converter

    def bgr(self, longest: int | None = None) -> Image:
        """Return the pixels, made smaller on the way where that is wished."""
        try:
            converted = self._converter.bgr(self._frame, longest)
        except (av.error.FFmpegError, ValueError) as error:
            raise PictureError(f"a frame could not be converted ({error})") from None
        plane = converted.planes[0]
        return _rows(plane)[: converted.height, : converted.width * 3].reshape(converted.height, converted.width, 3)

    def grey(self, longest: int) -> Grey:
        """Return how light the frame is: cameras send that beside the colours, so nothing is converted."""
        if self._frame.format.name not in _LIGHT_APART:
            return grey_of(self.bgr(), longest)
        light = _rows(self._frame.planes[0])[: self._frame.height, : self._frame.width]
        small = halved(light, longest)
        return small.copy() if small is light else small  # the decoder still needs its own


def _rows(plane: VideoPlane) -> NDArray[np.uint8]:
    """Return FFmpeg's own memory, not copied: a row for each row of the plane, and what FFmpeg keeps beside it."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)


class _Converter:
    """FFmpeg's two converters of one source, whole and smaller; what each keeps is used by one thread at a time."""

    def __init__(self) -> None:
        self._whole, self._smaller = VideoReformatter(), VideoReformatter()
        self._whole_lock, self._smaller_lock = threading.Lock(), threading.Lock()

    def bgr(self, frame: VideoFrame, longest: int | None) -> VideoFrame:
        """Return the frame in OpenCV's colours."""
        if longest is None or max(frame.width, frame.height) <= longest:
            with self._whole_lock:
                return self._whole.reformat(frame, format="bgr24", interpolation="BILINEAR", threads=1)
        scale = longest / max(frame.width, frame.height)
        width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        with self._smaller_lock:
            return self._smaller.reformat(frame, width, height, format="bgr24", interpolation="AREA", threads=1)


def _decode(packet: Packet[VideoStream]) -> Iterator[VideoFrame]:
    """Return the packet's frames; a damaged packet has none, and the next key frame mends it."""
    try:
        return iter(packet.decode())
    except (av.error.FFmpegError, ValueError):
        return iter(())


def _first_video(container: InputContainer, url: str, patience: float, *, is_live: bool) -> StreamSource:
    if not container.streams.video:
        container.close()
        raise CameraNotVideo(f"{url} answers, but there is no video in it: check the path")
    stream = container.streams.video[0]
    stream.thread_type = "SLICE"  # frame threads would hold back as many frames as there are threads
    stream.codec_context.thread_count = 1
    if is_live:
        stream.codec_context.flags |= Flags.low_delay
    return StreamSource(container, stream, url, patience=patience, is_live=is_live)


def _options(url: str) -> tuple[str, dict[str, str]]:
    """Return the URL as FFmpeg wants it, and FFmpeg's options for it."""
    if not url.lower().startswith("rtsp"):
        return url, {**_HASTY, **_HTTP, **({"live_start_index": "-1"} if _is_hls(url) else {})}
    if url.endswith("?udp"):
        return url.removesuffix("?udp"), {**_HASTY, **_RTSP, "rtsp_transport": "udp"}
    return url, {**_HASTY, **_RTSP}


def _patience(url: str) -> float:
    return HLS_READ_SECONDS if _is_hls(url) else READ_SECONDS


def _is_hls(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(".m3u8")


# --- what went wrong, in a sentence ---

_WHAT_TO_DO: tuple[tuple[tuple[type[Exception], ...], type[CameraError], str], ...] = (
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        CameraUnauthorized,
        "{url} refuses this user or password: check what stands before the host (%40 stands for an @, %2F for a /)",
    ),
    (
        (av.error.HTTPNotFoundError, av.error.HTTPBadRequestError),
        CameraNotFound,
        "{url}: the camera answers, but has no such path; its manual or ONVIF names the right one",
    ),
    ((av.error.FileNotFoundError,), CameraNotFound, "there is no file {url}"),
    (
        (av.error.ConnectionRefusedError,),
        CameraUnreachable,
        "nothing listens at {url}: check the address and the port, and that the camera is on",
    ),
    ((av.error.PermissionError,), CameraUnauthorized, "{url} may not be read by this user: check its permissions"),
    (
        (av.error.InvalidDataError, av.error.DemuxerNotFoundError, av.error.DecoderNotFoundError),
        CameraNotVideo,
        "{url} answers, but not with a video that can be decoded: check the path",
    ),
    ((av.error.ProtocolNotFoundError,), UnsupportedSource, "{url}: FFmpeg here cannot read such an address"),
)


def _explained(url: str, error: Exception, seconds: float) -> CameraError:
    """Return the error as a camera's, with one sentence that says what to do."""
    for kinds, meaning, sentence in _WHAT_TO_DO:
        if isinstance(error, kinds):
            return meaning(sentence.format(url=url))
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return _silent(url, seconds)
    if _is_unresolvable(url, error):
        return CameraUnreachable(f"{url}: there is no host of that name; check its spelling, or use its IP address")
    reason = redact(getattr(error, "strerror", None) or str(error))
    return CameraUnreachable(f"{url} cannot be read ({reason}): check the address and that the camera is on")


def _silent(url: str, seconds: float) -> CameraUnreachable:
    return CameraUnreachable(f"{url} stays silent for {seconds:g} s: check the address, the network and the firewall")


def _is_unresolvable(url: str, error: Exception) -> bool:
    """Say whether it was the name: FFmpeg calls that, and much else, an input/output error."""
    host = urlsplit(url).hostname
    if getattr(error, "errno", None) != errno.EIO or not host:
        return False
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return True
    return False
