"""What names cost: 200 results a second with two faces each, read as the live feed reads them, with names and without.

python -m bench.names
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import rig
from dashboard.stream import ResultStream
from pipeline import keys
from pipeline.broker import Broker
from pipeline.names import Names, TrackName
from tests.dashboard.support import FACE
from tests.people.rooms import Home

RATE, CAMERAS, FACES = 200, 40, 2
ROUNDS, SECONDS = 5, 6.0
GRACE = TrackName(person={"Id": "p_0123456789ab", "Name": "Grace Hopper", "Similarity": 99.1})


def main() -> None:
    print("| 200 results/s, two faces each | CPU | line |")
    print("|---|---|---|")
    with rig.valkey() as url:
        broker = Broker(url)
        reading(broker, url)
        knowing(broker)
        broker.close()


def reading(broker: Broker, url: str) -> None:
    """The live feed's reading, in turns with names and without."""
    Names(broker.scripts).write({f"cam{camera}-{face}": GRACE for camera in range(CAMERAS) for face in range(FACES)})
    shares: dict[bool, list[float]] = {True: [], False: []}
    with subprocess.Popen([sys.executable, "-m", "bench.names", url], cwd=rig.ROOT) as publisher:
        for _ in range(ROUNDS):
            for is_named, found in shares.items():
                found.append(share_of_a_core(ResultStream(broker.jobs), broker, is_named=is_named))
        publisher.kill()
    more = 100 * (median(shares[True]) - median(shares[False]))
    total = 100 * median(shares[True])
    print(f"| putting names in when results are read | {more:.1f} % of a core of the {total:.1f} % that reading takes | 3 % |")


def share_of_a_core(stream: ResultStream, broker: Broker, *, is_named: bool) -> float:
    """Follow the stream for SECONDS and return the CPU time that took, of one core."""
    if not is_named:
        stream._names.into = list  # type: ignore[method-assign, assignment]  # results as they are
    last = broker.scripts.xrevrange(keys.RESULTS, count=1)
    after = last[0][0].decode() if last else "0-0"  # type: ignore[index]  # not async
    began, cpu = time.monotonic(), time.thread_time()
    while time.monotonic() < began + SECONDS:
        _, after = stream.follow(after, 0.5)
    return (time.thread_time() - cpu) / (time.monotonic() - began)


def knowing(broker: Broker) -> None:
    """What the people process makes of results, each in a transaction of its own: visits and names."""
    broker.scripts.flushall()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(broker, Path(folder))
        for number in range(2000):
            camera = f"cam{number % CAMERAS}"
            home.seeing.frame(number / RATE, *(f"{camera}-{face}" for face in range(FACES)), camera=camera)
        cpu = time.thread_time()
        home.heard(at_once=1)
        each = (time.thread_time() - cpu) / 2000
        home.database.close()
    print(f"| visits, in the people process | {100 * each * RATE:.1f} % of a core, {1000 * each:.2f} ms a result | |")


def publish(url: str) -> None:
    """Publish RATE results a second, until the end of the process."""
    connection, number, began = Broker(url).scripts, 0, time.monotonic()
    about = {"seq": 1, "width": 1280, "height": 720, "provider": "local", "stages": {"service": 0.3}}
    while True:
        camera, now = f"cam{number % CAMERAS}", time.time()
        faces = [FACE | {"Track": f"{camera}-{face}"} for face in range(FACES)]
        result = json.dumps(about | {"captured_at": now, "FaceDetails": faces})
        connection.xadd(keys.RESULTS, {"camera": camera, "published_at": repr(now), "result": result}, maxlen=2000)
        number += 1
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))


if __name__ == "__main__":
    publish(sys.argv[1]) if sys.argv[1:] else main()
