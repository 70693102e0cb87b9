"""The plain way to show cameras, to measure beside: a page of <img> whose pictures never end (multipart/x-mixed-replace).

    python -m bench.mjpeg CAMERAS PICTURES_A_SECOND FOLDER_OF_JPEGS

Prints its port. The pictures come out of memory; nothing is decoded, and no picture is ever left out for a slow viewer.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.responses import HTMLResponse, StreamingResponse

from dashboard.server import bind


def app(cameras: int, rate: float, pictures: list[bytes]) -> FastAPI:
    serving = FastAPI()

    async def stream(camera: int) -> AsyncIterator[bytes]:
        number = camera
        while True:
            number += 1
            jpeg = pictures[number % len(pictures)]
            yield b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(jpeg), jpeg)
            await asyncio.sleep(1 / rate)

    @serving.get("/{camera}.mjpeg")
    async def mjpeg(camera: int) -> StreamingResponse:
        return StreamingResponse(stream(camera), media_type="multipart/x-mixed-replace; boundary=frame")

    @serving.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse("".join(f"<img src='/{camera}.mjpeg' width=600>" for camera in range(cameras)))

    return serving


def main() -> None:
    cameras, rate, folder = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    bound = bind("127.0.0.1", 0)
    print(bound.getsockname()[1], flush=True)
    config = uvicorn.Config(app(cameras, rate, pictures), log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    main()
