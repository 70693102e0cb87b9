"""Makes docs/up.svg, the README's picture, from a real `rekstream up` with the demo and an RTSP camera.

python -m scripts.readme_picture
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

from rich.console import Console

from pipeline.provider import Provider
from rekstream.client import Client
from rekstream.table import LiveTable
from tests.cameras.clips import Clips
from tests.cameras.process import rtsp_camera
from tests.rekstream.running import Up

ROOT = Path(__file__).parents[1]
SECONDS = 12


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        video = Clips(Path(folder), ROOT / "rekstream" / "demo").video("720")
        with rtsp_camera({"stream1": video}, "--auth", "admin:secret") as camera:
            (Path(folder) / "rekstream.yml").write_text(
                f'cameras:\n  front_door: {{url: "{camera.url("stream1", "admin:secret")}"}}\n  demo: demo\n'
                f'  yard: {{url: "{camera.url("stream1", "admin:wrong")}"}}\n'
            )
            with Up(Path(folder), []) as up:
                up.fresh_result("front_door")
                time.sleep(SECONDS)
                draw(up)


def draw(up: Up) -> None:
    console = Console(record=True, width=124, force_terminal=True, highlight=False)
    for line in up.said.splitlines():
        if re.match(r"API|Redis|answered|Ctrl-C", line):
            console.print(re.sub(r":\d{4,5}", ":8080", re.sub(r"rekstream-\w+", "rekstream-…", line)), soft_wrap=True)
    client = Client(up.api)
    shown = LiveTable(console, client, Provider("local", "us-east-1"))
    console.print(shown.table(shown.look()))
    svg = console.export_svg(title="rekstream up")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no address of anybody's fonts
    (ROOT / "docs" / "up.svg").write_text(re.sub(r"\n\s*\n+", "\n", svg))


if __name__ == "__main__":
    main()
