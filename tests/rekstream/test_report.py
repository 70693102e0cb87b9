"""A report is right against the raw results, needs nothing but itself, and says what it cannot tell."""

from __future__ import annotations

import math
import re
import stat
import time
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import insert

from history.calls import spending
from history.database import Database
from history.latency import AGE, STAGES
from history.mirror import people, visits
from history.nameless import nameless
from history.rooms import TABLES
from history.schema import gaps, streams
from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.results import Results
from pipeline.settings import Settings
from rekstream import cli
from rekstream.report.command import Wishes, period_of, read
from rekstream.report.figures import Figures, Period
from rekstream.report.page import page
from tests.conftest import Valkey, wait_until
from tests.history.support import face, history_process, publish, rows

EVIL = "\"><script>alert('x')</script>"
NOW = 1_795_000_000.0


@pytest.fixture(scope="module")
def raw(session_valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Result]]:
    """Write some minutes of results by the real history process; return its folder, and the results as they stand in Redis."""
    data = tmp_path_factory.mktemp("history")
    broker = Broker(session_valkey.url)
    broker.scripts.flushall()
    seconds, _ = broker.scripts.time()  # type: ignore[misc]  # redis-py types every command as sync-or-async
    with history_process(broker, data) as process:
        for number in range(240):
            camera = ("door", "hall", EVIL)[number % 3]
            ago = 0.1 + number % 17 * 0.07
            emotion = [{"Type": ("HAPPY", "CALM", "SAD")[number % 3], "Confidence": 80.0}]
            found = [face(f"{number % 3}-{number // 60}", Emotions=emotion)] * (number % 4)
            error = {"Code": "ReadTimeoutError", "Message": "", "Kind": "timeout"} if number % 40 == 7 else None
            stages = {stage: ago / 6 * (1 + place / 10) for place, stage in enumerate(STAGES[:-1])}
            members = {"provider": "aws us-east-1", "stages": stages}
            publish(broker, camera, at=seconds - 500 * (number % 2) - ago, faces=found, error=error, **members)
        publish(broker, "photo-1f0c", provider="aws us-east-1")
        publish(broker, "door:7", operation="SearchFacesByImage", provider="aws us-east-1")
        wait_until(lambda: sum(row["calls"] for row in rows(process, spending)) == 242)
    results, _ = Results(broker.scripts).read(limit=1000)
    broker.scripts.flushall()
    broker.close()
    return data, results


def told(data: Path, *cameras: str) -> Figures:
    settings = Settings(data=data)
    database = Database(data)
    try:
        return read(database, period_of(Wishes("3h", "now", cameras, data), time.time()), settings)
    finally:
        database.close()


def who_came(pictures: Sequence[Result], camera: str) -> set[str]:
    seen = Counter(one["Track"] for result in pictures if result.camera == camera for one in result.response["FaceDetails"])
    return {track for track, pictures_of in seen.items() if pictures_of > 1}


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


@pytest.mark.parametrize("cameras", [(), ("door",), ("hall", EVIL)])
def test_it_is_right_against_the_raw_results(raw: tuple[Path, list[Result]], cameras: tuple[str, ...]) -> None:
    data, results = raw
    found = told(data, *cameras)
    of_cameras = [one for one in results if not one.camera.startswith("photo")]
    wanted = [one for one in of_cameras if not cameras or keys.camera_of_mailbox(one.camera) in cameras]
    pictures = [one for one in wanted if one.operation == "DetectFaces" and not one.error]
    faces = [one for result in pictures for one in result.response["FaceDetails"]]
    total = found.total
    assert (total.calls, total.results, total.errors) == (len(wanted), len(pictures), sum(bool(one.error) for one in wanted))
    assert (total.faces, total.smiling) == (len(faces), sum(one["Smile"]["Value"] for one in faces))
    for emotion in ("HAPPY", "CALM", "SAD"):
        assert total.emotions[emotion.lower()] == sum(one["Emotions"][0]["Type"] == emotion for one in faces)
    assert {at: sums.results for at, sums in found.series.items() if sums.results} == {
        at: sum(one.captured_at // found.period.bucket * found.period.bucket == at for one in pictures)
        for at in sorted({int(one.captured_at // found.period.bucket) * found.period.bucket for one in pictures})
    }
    ages = [one.age_seconds for one in pictures]
    for share in (0.5, 0.95, 0.99):
        assert found.latency_of_all[AGE].percentile(share) == pytest.approx(percentile(ages, share), rel=0.0201)
        service = [one.stages["service"] for one in pictures]
        assert found.latency_of_all["service"].percentile(share) == pytest.approx(percentile(service, share), rel=0.0201)
    assert found.latency_of_all[AGE].mean == pytest.approx(sum(ages) / len(ages), rel=1e-5)
    assert found.latency_of_all[AGE].longest == pytest.approx(max(ages), abs=1e-6)
    photos = len(results) - len(of_cameras) if not cameras else 0
    assert (found.money["charged"], found.money["dollars"]) == (
        len(wanted) + photos,
        pytest.approx((len(wanted) + photos) * 0.001),
    )
    assert found.audience["totals"]["arrivals"] == sum(len(who_came(pictures, name)) for name in found.cameras)


class Outside(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_the_page_loads_and_runs_nothing_and_says_names_as_they_are(raw: tuple[Path, list[Result]]) -> None:
    text = page(told(raw[0]))
    parser = Outside()
    parser.feed(text)
    assert not parser.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"}
    assert not parser.attributes & {"src", "href", "style", "onclick", "onload", "srcset"}
    assert "&lt;script&gt;" in text
    assert "<script" not in text
    assert re.search(r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'", text)
    assert not re.search(r"url\(|@import|https?://", text)
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower().replace("finance", "")


def test_the_command_writes_a_file_that_is_its_owners(
    raw: tuple[Path, list[Result]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.html"
    command = ["report", "--since", "3h", "--camera", "door", "-o", str(path), "--data", str(raw[0])]
    monkeypatch.setattr("sys.argv", ["rekstream", *command])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert re.fullmatch(rf"{re.escape(str(path))}: \d+ results of 1 cameras\n", capsys.readouterr().out)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--camera", "porch"], "there is no camera 'porch' in the history: there are "),
        (["--since", "yesterday"], "'yesterday' is no moment: write 24h or 7d"),
        (["--since", "1h", "--until", "2h"], "--since 1h is not a minute before --until 2h: there is nothing to tell"),
        (["--since", "2000-01-01"], "--since 2000-01-01 is too long ago for one report: 400 days are told at most"),
        (["-o", "/nowhere/report.html"], "/nowhere/report.html cannot be written (No such file or directory): name another"),
        (["--data", "/nowhere"], "there is no history in /nowhere/history.sqlite yet"),
        (["--database", "mysql://host/db"], "write postgresql://"),
    ],
)
def test_what_cannot_be_told_is_refused_in_one_sentence(
    arguments: list[str],
    sentence: str,
    raw: tuple[Path, list[Result]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["rekstream", "report", "--data", str(raw[0]), *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("error: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_gaps_and_how_far_the_history_is_are_told(tmp_path: Path) -> None:
    database = Database(tmp_path, "", TABLES)
    gap = {"stream": 1, "after": "0", "since": NOW - 600, "till": NOW - 300, "why": "Redis was emptied, or is another one"}
    with database.writing() as connection:
        connection.execute(insert(gaps), [{**gap, "lost": 7}, {**gap, "lost": None}, {**gap, "till": NOW - 1e6, "lost": 1000}])
        stream = {"name": "one", "last_id": "0", "position": 0, "ended": 0, "at": NOW - 1800}
        connection.execute(insert(streams), [stream])
    text = page(read(database, Period.around(NOW - 3600, NOW, NOW), Settings(data=tmp_path)))
    database.close()
    assert "7 and an unknown number of the results of this time never got into the history" in text
    assert "Redis was emptied, or is another one" in text
    assert "Whether more came after it, this report cannot tell." in text
    assert "Nothing was analysed in this time, or nothing of it is kept any more." in text


def test_who_came_is_told_but_not_of_cameras_that_name_nobody(tmp_path: Path) -> None:
    database = Database(tmp_path, "", TABLES)
    visit = {"unknown": None, "similarity": 99.0, "is_open": 0}
    with database.writing() as connection:
        known = [{"id": f"p_{name}", "name": name, "added": 0.0} for name in ("Grace <b>", "Ada", "Alan")]
        connection.execute(insert(people), known)
        times = [("door", "p_Grace <b>", 1000, 400), ("stage", "p_Ada", 900, 300), ("hall", "p_Alan", 800, 200)]
        seen = [
            {"id": number, "camera": camera, "person": person, "began": NOW - began, "ended": NOW - ended, **visit}
            for number, (camera, person, began, ended) in enumerate(times)
        ]
        connection.execute(insert(visits), seen)
        connection.execute(insert(nameless).values(camera="stage"))
    settings = Settings(data=tmp_path, time_zone="Europe/Berlin")
    everywhere = read(database, Period.around(NOW - 3600, NOW, NOW), settings).attendance
    assert [(entry["Person"]["Name"], entry["state"]) for entry in everywhere] == [
        ("Ada", "absent"),
        ("Alan", "present"),
        ("Grace <b>", "present"),
    ]
    assert sum(entry["seconds"] for entry in everywhere) == 1200
    text = page(read(database, Period.around(NOW - 3600, NOW, NOW), settings))
    database.close()
    assert "Grace &lt;b&gt;" in text
    assert "Not seen: Ada." in text


def test_a_report_tells_whole_hours_and_of_weeks_whole_days() -> None:
    assert Period.around(NOW - 5000, NOW, NOW).since % 3600 == 0
    assert Period.around(NOW - 5000, NOW, NOW).until == NOW
    past = Period.around(NOW - 86_400, NOW - 80_000, NOW)
    assert (past.until % 3600, past.until >= NOW - 80_000) == (0, True)
    assert Period.around(NOW - 30 * 86_400, NOW, NOW).since % 86_400 == 0
    for days in (0.02, 0.5, 1, 7, 30, 399):
        assert len(Period.around(NOW - days * 86_400, NOW, NOW).starts) <= (100 if days < 99 else 402)
