"""What a worker process costs: memory with all calls in flight, and CPU a frame beside bare boto3 in the same run.

    python -m bench.worker

Frames of 100 KB are offered into the mailboxes of eight cameras without any camera, so that nothing but the worker works.
Bare boto3 is 64 threads of another process that call detect_faces with the same bytes, at the same rate, on the same server.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil

from bench import loops, rig
from pipeline.broker import Broker
from pipeline.entities import Frame, Policy
from pipeline.jobs import JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.presence import living

THREADS = 64
CAMERAS = 8
FRAME_BYTES = 100_000
FRAMES_PER_SECOND = 15.0
MOST_MEGABYTES, MOST_RATIO = 120, 2.0
ROUNDS = 2


def main(seconds: float = 10.0) -> None:
    print(rig.head(["worker process", "measured", "line"]), flush=True)
    rig.wait_until_quiet()
    for kilobytes in (100, 500):
        print(rig.row(memory(kilobytes * 1000, seconds)), flush=True)
    for rate in (100.0, 20.0):
        rig.wait_until_quiet()
        print(rig.row(cpu(rate, seconds)), flush=True)


def memory(frame_bytes: int, seconds: float) -> list[str]:
    """Measure the most memory of a worker while its 64 threads wait for answers that take 3 s."""
    with rig.valkey() as url, rig.strict(200, 3.0) as service, worker(url, service, 200.0) as process:
        broker = Broker(url)
        with offering(broker, frame_bytes):
            most, calling = 0.0, 0
            deadline = time.monotonic() + 15 + seconds
            while time.monotonic() < deadline:
                most = max(most, rig.megabytes(process))
                calling = max([calling, *(int(found.details["calling"]) for found in living(broker.scripts, "worker"))])
                time.sleep(0.25)
        broker.close()
    name = f"memory (PSS), {calling} calls of {frame_bytes // 1000} KB in flight"
    return [name, f"{most:.0f} MB", f"{MOST_MEGABYTES} MB" if frame_bytes == FRAME_BYTES else ""]


def cpu(rate: float, seconds: float) -> list[str]:
    """Measure CPU a frame of the worker and of bare boto3 in turns."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(cpu_of_worker(rate, seconds))
        theirs.append(cpu_of_bare_boto3(rate, seconds))
    milliseconds, bare = statistics.median(ours), statistics.median(theirs)
    measured = f"{milliseconds:.2f} ms, bare boto3 {bare:.2f} ms: {milliseconds / bare:.2f} x"
    return [f"CPU a frame of 100 KB at {rate:g}/s, median of {ROUNDS} runs", measured, f"{MOST_RATIO:g} x"]


def cpu_of_worker(rate: float, seconds: float) -> float:
    with rig.valkey() as url, rig.strict(rate) as service, worker(url, service, rate) as process:
        broker = Broker(url)
        with offering(broker, FRAME_BYTES):
            rig.wait_for_results(broker, 3 * CAMERAS)
            found = cpu_per_call(process, service, seconds)
        broker.close()
        return found


def cpu_of_bare_boto3(rate: float, seconds: float) -> float:
    with rig.strict(1.1 * rate) as service:  # its pace has no limiter behind it that would keep clear of the quota
        command = [sys.executable, "-m", "bench.worker", "bare", service, str(0.995 * rate)]
        process = subprocess.Popen(command, cwd=rig.ROOT, env=os.environ | rig.INVENTED)
        try:
            return cpu_per_call(psutil.Process(process.pid), service, seconds)
        finally:
            process.kill()
            process.wait()


def cpu_per_call(process: psutil.Process, service: str, seconds: float) -> float:
    """Return milliseconds of CPU for each call that was answered, once it has run for 5 s."""
    time.sleep(5)
    calls, spent = rig.figures(service)["ok"], rig.cpu_seconds(process)
    time.sleep(seconds)
    return (rig.cpu_seconds(process) - spent) / (rig.figures(service)["ok"] - calls) * 1e3


@contextlib.contextmanager
def worker(url: str, service: str, rate: float) -> Iterator[psutil.Process]:
    with rig.part("work", redis=url, endpoint_url=service, tps=rate, threads=THREADS) as process:
        yield process


@contextlib.contextmanager
def offering(broker: Broker, frame_bytes: int) -> Iterator[None]:
    """Offer random bytes as frames of eight cameras at 15/s each until the block ends."""
    mailbox, jpeg, stop = Mailbox(broker.scripts, JobQueue(broker.jobs)), os.urandom(frame_bytes), threading.Event()

    def film_one(camera: str, phase: float) -> None:
        ledger = Ledger()

        def offer() -> None:
            statement = ledger.statement(ledger.sample())
            now = time.time()
            mailbox.offer(Frame(camera, statement.number, now, jpeg, 1280, 720), statement, Policy.LATEST)

        loops.film(offer, FRAMES_PER_SECOND, phase, stop)

    threads = [
        threading.Thread(target=film_one, args=(f"cam{number}", number / CAMERAS), daemon=True) for number in range(CAMERAS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def bare(service: str, rate: float) -> None:
    """Call from 64 threads, `rate` times a second in all, until killed."""
    client = loops.client_of(service, retries=False)
    threads = [
        threading.Thread(
            target=loops.film, args=(lambda: loops.call(client), rate / THREADS, number / THREADS, threading.Event())
        )
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        bare(sys.argv[2], float(sys.argv[3]))
    else:
        rig.run(main)
