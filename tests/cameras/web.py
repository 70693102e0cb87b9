"""A camera on the web for tests: MJPEG, HLS and a video file over HTTP, a process of its own.

    python -m tests.cameras.web --show PATH.mp4 [--port N] [--auth USER:PASSWORD]

It prints its port when it listens, and the second at which its films began. Its paths:

    /mjpeg        JPEG after JPEG (multipart/x-mixed-replace), frame n at START + n / 25
    /live.m3u8    HLS, a segment of two seconds each two seconds
    /video.mp4    the file
    /page         no video at all
    /silent       takes the request and never answers
"""

from __future__ import annotations

import argparse
import base64
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2

from tests.cameras.clips import FPS, write_segments

SEGMENT_SECONDS = 2
WINDOW = 3  # segments in a live playlist


@dataclass(frozen=True, slots=True)
class Show:
    """What the camera shows, made ready once."""

    video: Path
    jpegs: list[bytes]
    segments: list[bytes]
    started: float
    authorization: str  # what the header has to be; '' lets everybody in


class Handler(BaseHTTPRequestHandler):
    """Answers one viewer."""

    wbufsize = -1
    show: Show

    def do_GET(self) -> None:
        """Answer by path."""
        pages: dict[str, Callable[[], None]] = {
            "/mjpeg": self._mjpeg,
            "/live.m3u8": self._playlist,
            "/video.mp4": lambda: self._send("video/mp4", self.show.video.read_bytes()),
            "/page": lambda: self._send("text/html", b"<title>no video</title>" * 50),
            "/silent": lambda: time.sleep(60),
        }
        try:
            if self.show.authorization and self.headers.get("Authorization") != self.show.authorization:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="cam"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path.endswith(".ts"):
                self._send("video/mp2t", self._segment(int(self.path[1:-3])))
            else:
                pages.get(self.path, lambda: self.send_error(404))()
        except OSError:
            self.close_connection = True  # viewers leave as they like

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _mjpeg(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in itertools.count(int((time.time() - self.show.started) * FPS) + 1):
            time.sleep(max(0.0, self.show.started + number / FPS - time.time()))
            jpeg = self.show.jpegs[number % len(self.show.jpegs)]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            self.wfile.flush()

    def _playlist(self) -> None:
        complete = int((time.time() - self.show.started) / SEGMENT_SECONDS) + WINDOW
        first = complete - WINDOW
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        for number in range(first, complete):
            lines += ["#EXT-X-DISCONTINUITY"] if number % len(self.show.segments) == 0 else []
            lines += [f"#EXTINF:{SEGMENT_SECONDS}.0,", f"{number}.ts"]
        self._send("application/vnd.apple.mpegurl", "\n".join([*lines, ""]).encode())

    def _segment(self, number: int) -> bytes:
        return self.show.segments[number % len(self.show.segments)]


def prepare(video: Path, auth: str) -> Show:
    """Decode and cut the video."""
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    jpegs = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]
    with tempfile.TemporaryDirectory() as folder:
        segments = [path.read_bytes() for path in write_segments(video, Path(folder))]
    authorization = f"Basic {base64.b64encode(auth.encode()).decode()}" if auth else ""
    return Show(video, jpegs, segments, time.time(), authorization)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.cameras.web")
    parser.add_argument("--show", type=Path, required=True, metavar="PATH")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--auth", default="")
    arguments = parser.parse_args()
    Handler.show = prepare(arguments.show, arguments.auth)
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_port} {Handler.show.started}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
