"""How old is what you see? Late binding on real RTSP cameras, beside the loops and queues that people write, in one run."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench import loops, rig
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera
from tests.cameras.clips import Size

HEAD = [
    "cameras",
    "allowed",
    "how",
    "results/s",
    "of what is possible",
    "refused",
    "service p50/p95",
    "age p50/p95 ms",
    "line",
    "memory, CPU",
]
QUARTER = Size(640, 360, 800_000)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`rates` are frames sampled a second of each camera; `allowed` calls a second."""

    rates: tuple[float, ...]
    allowed: float
    threads: int
    beside: tuple[str, ...] = ("fair",)

    @property
    def name(self) -> str:
        counts = {rate: self.rates.count(rate) for rate in dict.fromkeys(self.rates)}
        return " + ".join(f"{count} x {rate:g}/s" for rate, count in counts.items())

    @property
    def possible(self) -> float:
        return min(self.allowed, sum(self.rates))

    @property
    def fps(self) -> float:
        """The rate that the line's waiting time is computed from: the slowest frame's, weighed by results."""
        served = [min(rate, self.allowed * rate / sum(self.rates)) for rate in self.rates]
        return sum(rate * share for rate, share in zip(self.rates, served, strict=True)) / sum(served)


SCENARIOS = (
    Scenario((15.0,) * 8, 20, 24, ("fair", "naive", "simple", "fork")),
    Scenario((15.0,), 20, 24),
    Scenario((15.0,) + (0.5,) * 7, 20, 24),
    Scenario((2.0,) * 40, 50, 40),
    Scenario((15.0,) * 8, 100, 64),
)


def main(seconds: float = 15.0) -> None:
    print(rig.head(HEAD), flush=True)
    for scenario in SCENARIOS:
        rig.wait_until_quiet()
        print(rig.row(late_binding(scenario, seconds)), flush=True)
        for name in scenario.beside:
            print(rig.row(beside(name, scenario, seconds)), flush=True)


def late_binding(scenario: Scenario, seconds: float) -> list[str]:
    with (
        rig.valkey() as url,
        rig.strict(scenario.allowed) as service,
        rig.cameras(QUARTER, len(scenario.rates)) as urls,
        rig.part("produce", redis=url),
        rig.part("work", redis=url, endpoint_url=service, tps=scenario.allowed, threads=scenario.threads) as worker,
    ):
        broker = Broker(url)
        CameraRegistry(broker.scripts).put(
            Camera(f"cam{number}", url, rate) for number, (url, rate) in enumerate(zip(urls, scenario.rates, strict=True))
        )
        rig.wait_for_results(broker, 3 * len(scenario.rates))
        time.sleep(3)
        before = rig.figures(service)["refused"]  # each cuts the shared rate, which takes half a minute to grow back
        rig.figures(service, "/reset")
        start, spent = rig.redis_now(broker), rig.cpu_seconds(worker)
        time.sleep(seconds)
        end, spent = rig.redis_now(broker), rig.cpu_seconds(worker) - spent
        results = rig.results_between(broker, start, end)
        memory = rig.megabytes(worker)
        ages, service_figures = rig.ages_of(results, end - start), rig.figures(service)
        broker.close()
        note = f"{memory:.0f} MB, {spent / seconds * 100:.0f} % of a core" + f"; {before:.0f} refused before" * bool(before)
        return row(scenario, "late binding", ages, service_figures, note)


def beside(name: str, scenario: Scenario, seconds: float) -> list[str]:
    with rig.valkey() as url, rig.strict(scenario.allowed) as service:
        outcome = loops.run(name, url, service, scenario.rates, scenario.allowed, seconds)
        return row(scenario, loops.TITLES[name], outcome.ages, rig.figures(service), outcome.note)


def row(scenario: Scenario, how: str, ages: rig.Ages, service: dict[str, float], note: str) -> list[str]:
    p50 = service["p50"] * 1e3 + 500 / scenario.fps + 15
    p95 = service["p95"] * 1e3 + 1e3 / scenario.fps + 30
    return [
        scenario.name,
        f"{scenario.allowed:g}/s",
        how,
        f"{ages.per_second:.1f}",
        f"{ages.per_second / scenario.possible * 100:.1f} %",
        f"{service['refused']:.0f}",
        f"{service['p50'] * 1e3:.0f} / {service['p95'] * 1e3:.0f}",
        f"{ages.p50 * 1e3:.0f} / {ages.p95 * 1e3:.0f}",
        f"{p50:.0f} / {p95:.0f}",
        note,
    ]


if __name__ == "__main__":
    rig.run(main)
