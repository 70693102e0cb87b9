"""Runs the measurements, prints each table as it grows, and writes docs/benchmarks.md.

python -m bench [freshness|uplink|worker|capture|vision|search|names|page …] [--write]
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import subprocess
import sys
from pathlib import Path

from bench import rig

PAGE = rig.ROOT / "docs" / "benchmarks.md"
TITLES = {
    "freshness": "How old is what you see",
    "uplink": "When the uplink is the bottleneck",
    "worker": "What a worker process costs",
    "capture": "What a camera costs",
    "vision": "What reading a face costs",
    "search": "What searching a collection costs",
    "gate": "What the gate finds, saves and costs",
    "names": "What names and visits cost",
    "tracks": "Who is who, and which calls that saves",
    "what_if": "What if, foretold and then done",
    "alerts": "How soon an alert arrives, and how many a minute",
    "laughs": "How well laughs are counted",
    "history": "What the history costs, and how fast it answers",
    "page": "What the page costs, and how old it is",
    "report": "How long a report takes, and the money of a month",
}
SHOWS = {
    "freshness": "Late binding uses what is allowed and stays as fresh as one call lets it, where queued frames grow old and a "
    "loop per camera is bound to one call at a time. Late binding has real RTSP cameras (640 x 360, 30/s, decoded and "
    "encoded on the same machine); the others are given 100 KB out of nothing, which flatters their ages.",
    "uplink": "JPEG quality yields to a full uplink: smaller frames, more results a second, younger ones. The last column is "
    "what GET /api/stats says.",
    "worker": "A worker process holds 64 calls in flight; beside bare boto3 it pays for RQ, the mailbox and the shared limit.",
    "capture": "A camera costs about what decoding it costs, plus the encoding of the frames that are sampled.",
    "vision": "The local server's DetectFaces, JPEG bytes to attributes; the reference is decoding and halving the picture.",
    "search": "Collections are kept in SQLite and searched in memory, in the time that the bare matrix product takes.",
    "gate": "Faces of 40, 48, 60, 80, 120, 200 and 320 px, one of each a film, walk through a room for 3 s each, with half a "
    "minute of nothing between them, turned up to 25 degrees: the portraits, drawn (`bench/films.py`) and coded as H.264. "
    "Nobody was filmed: how it does with a camera of yours, its figures of calls saved tell. CPU is of one thread, decoding "
    "not counted.",
    "names": "Names are put into results when these are read, one question to Redis a batch, so a change holds for results "
    "that came before; CPU time of the reading thread, in turns with names and without.",
    "tracks": "Clips of two people who cross, meet, leave, come back, turn, stand in the dark or far away "
    "(`tests/clips.py`), 8 s each. A face is searched when its track is new or seen clearly better. Milliseconds "
    "are a worker's CPU for a frame of 720p: on the way to the result, and with what comes after it.",
    "what_if": "The Latency page computes what a change would bring from what is measured before it; here it was then made. "
    "The last column is by how much the simulation misses what is known already.",
    "alerts": "Results out of nothing, each worth an alert, to a webhook on this machine; the last row is the whole system, "
    "from the first frame that shows an enrolled person to the webhook that names them.",
    "laughs": "Nobody was filmed: portraits cannot laugh. 100 made shows of 20 faces for 100 s, of scores that the local "
    "models gave to 720 changed pictures of two portraits (`bench/laughs.py` says how; there are misread "
    "looks, grins, talk and smiles between the laughs). A laugh counts as found if the two overlap, each with "
    "one. Real audiences, AWS's scores, faces that are hidden or turned, and whether what people call a laugh "
    "looks like the smiling portrait, are not proven by this.",
    "history": "The writer with all that hears results (audience, money, latency), on a backlog of its own; then a SQLite "
    "database of a month, filled by SQL, and the questions that the pages put to it, each five times with other days, cameras "
    "and people. It has no statistics (ANALYZE), as those of users have none; each answer has to hold what was asked for.",
    "page": "The dashboard and its page in Debian's Chromium, headless and without a graphics card. Beside it, the same four "
    "cameras as a plain MJPEG page, and in NiceGUI (`python -m bench.page --nicegui PYTHON`).",
    "report": "Sums as the history keeps them, made up for 40 cameras; reports and money are read from nothing else. A report "
    "is read and written as HTML.",
}
PREFACE = """# Benchmarks

Written by `make bench ARGS=--write`, a table by `python -m bench NAME --write`.

Service times are assumed (a strict server of our own with a log-normal answer, 300 ms at the median unless a table says
otherwise): nothing was measured against AWS. Everything of a table ran on the machine named with it, cameras, servers and load
included, so milliseconds are this machine's; the ratios between rows of one table are the figures to carry elsewhere.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure; each table can be asked for by name.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TITLES))
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(rig.ROOT)}")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in TITLES]:
        parser.error(f"there is no measurement {unknown[0]!r}: choose among {', '.join(TITLES)}")
    for name in asked.names or TITLES:
        print(f"\n{TITLES[name]}\n", flush=True)
        written = section(name, run(name))
        if asked.write:
            write(name, written)


def write(name: str, written: str) -> None:
    """Put one measurement's part onto the page; the others stay as they are."""
    _, *parts = PAGE.read_text().split("\n## ") if PAGE.exists() else [""]
    known = {title: part for part in parts for title in [part.split("\n", 1)[0]]}
    known[TITLES[name]] = written.removeprefix("## ")
    shown = [f"## {known[title].strip()}\n" for title in TITLES.values() if title in known]
    PAGE.write_text("\n".join([PREFACE, *shown]))


def run(name: str) -> str:
    """Run one measurement in a process of its own; print what it prints, and return it."""
    lines = []
    with subprocess.Popen([sys.executable, "-m", f"bench.{name}"], cwd=rig.ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"bench.{name} ended with exit code {process.returncode}")
    return "".join(lines).strip()


def section(name: str, output: str) -> str:
    """Return a measurement's part of the page; what is no table is shown as it was printed."""
    shown = output if output.startswith("|") else f"```text\n{output}\n```"
    return f"## {TITLES[name]}\n\n{SHOWS[name]}\n\n    python -m bench {name}\n\n{about_this_machine()}\n\n{shown}\n"


def about_this_machine() -> str:
    machine, system = f"{cpu_model()}, {os.cpu_count()} cores", f"{platform.system()} {platform.release()}"
    return f"{dt.datetime.now(dt.UTC).date()}; {machine}; {system}; Python {platform.python_version()}."


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
