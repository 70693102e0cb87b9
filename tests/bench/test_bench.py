"""The measurements' arithmetic, their page, and that each can be asked for by name."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bench import __main__ as page
from bench import loops, rig
from bench.freshness import Scenario


def test_each_measurement_that_is_named_is_there() -> None:
    assert all(importlib.util.find_spec(f"bench.{name}") for name in page.TITLES)
    assert page.TITLES.keys() == page.SHOWS.keys()


def test_a_table_stands_on_the_page_as_it_is_and_text_in_a_block() -> None:
    assert "\n| a |\n" in page.section("worker", "| a |\n|---|")
    assert "```text\n1 ms\n```" in page.section("vision", "1 ms")


def test_a_measurement_is_written_in_its_place_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")
    for name, figure in (("worker", "100 MB"), ("freshness", "340 ms"), ("worker", "90 MB")):
        page.write(name, page.section(name, f"| {figure} |"))
    text = page.PAGE.read_text()
    assert text.startswith("# Benchmarks\n")
    assert text.index("340 ms") < text.index("90 MB")
    assert "100 MB" not in text


def test_an_unknown_name_is_refused_in_one_sentence() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "speed"], cwd=rig.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no measurement 'speed': choose among freshness" in done.stderr


@pytest.mark.parametrize(
    ("rates", "allowed", "possible"), [((15.0,) * 8, 20, 20), ((15.0,), 20, 15), ((15.0,) + (0.5,) * 7, 20, 18.5)]
)
def test_no_more_results_are_possible_than_are_allowed_or_offered(
    rates: tuple[float, ...], allowed: float, possible: float
) -> None:
    assert Scenario(rates, allowed, 24).possible == possible


def test_the_line_of_uneven_cameras_is_drawn_by_what_most_results_are_of() -> None:
    assert Scenario((15.0,) + (0.5,) * 7, 20, 24).fps == pytest.approx(12.26, abs=0.01)


def test_a_film_keeps_its_rate() -> None:
    shown: list[float] = []
    stop = threading.Event()
    thread = threading.Thread(target=loops.film, args=(lambda: shown.append(time.monotonic()), 50.0, 0.5, stop))
    thread.start()
    time.sleep(1.0)
    stop.set()
    thread.join()
    assert 40 <= len(shown) <= 51


def test_a_loop_takes_the_newest_frame_only() -> None:
    newest = loops.Newest()
    newest.put()
    first = newest.take()
    newest.put()
    newest.put()
    assert newest.wait(0)
    assert newest.take() >= first
    assert not newest.wait(0)
