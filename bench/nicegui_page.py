"""The same page in NiceGUI, to measure beside: run by the Python of an environment that has it.

    python bench/nicegui_page.py PORT CAMERAS PICTURES_A_SECOND FOLDER_OF_JPEGS

As its documentation shows webcams: an image whose source is set anew for every picture.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fastapi.responses import Response  # comes with NiceGUI
from nicegui import app, ui  # type: ignore[import-not-found]  # not a dependency of ours

port, cameras, rate, folder = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]


@app.get("/picture/{camera}")
def picture(camera: int) -> Response:
    return Response(pictures[(camera + int(time.time() * rate)) % len(pictures)], media_type="image/jpeg")


@ui.page("/")
def page() -> None:
    images = [ui.interactive_image(f"/picture/{camera}").classes("w-96") for camera in range(cameras)]

    def turn() -> None:
        for camera, image in enumerate(images):
            image.set_source(f"/picture/{camera}?{time.time()}")

    ui.timer(1 / rate, turn)


ui.run(host="127.0.0.1", port=port, show=False, reload=False)
