"""The audience over HTTP and in the database: what a made-up hall with known laughs has to show, through kills and deletion."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from dashboard.settings import DashboardSettings
from history import process as process_module
from history.audience import Audience
from history.audience_tables import STEPS, audience, laughs, shows, stays
from history.house import HistorySettings, Recorder
from history.packing import unpacked
from history.process import HistoryProcess
from history.records import Records
from history.schema import SUM_STEPS, faces, minutes, results, tracks
from history.schema import sums as longer
from history.shows import Shows
from pipeline import keys
from pipeline.broker import Broker
from pipeline.errors import RekstreamError, SettingsError, StorageError
from pipeline.presence import living
from pipeline.requests import Request
from rekstream import cli
from rekstream.shows import hour_to_come
from tests.conftest import Valkey, wait_until
from tests.dashboard.support import LOCAL, Api, camera, dashboard, put_cameras
from tests.history.support import face, history_process, publish, rows

SINCE = 1_795_000_020.0  # the first second of a minute


def seen(track: str, joy: float = 5.0, mouth: float = 5.0, yaw: float = 0.0, age: int = 30, **members: Any) -> dict[str, Any]:
    """Return a face as Rekognition tells it: how sure it smiles and how open its mouth is, in percent."""
    return face(
        track,
        Smile={"Value": joy > 50, "Confidence": max(joy, 100 - joy)},
        MouthOpen={"Value": mouth > 50, "Confidence": max(mouth, 100 - mouth)},
        Emotions=[{"Type": "HAPPY", "Confidence": joy}, {"Type": "CALM", "Confidence": 100 - joy}],
        Pose={"Yaw": yaw, "Pitch": 0.0, "Roll": 0.0},
        AgeRange={"Low": age - 5, "High": age + 5},
        Gender={"Value": "Female" if age < 40 else "Male", "Confidence": 99.0},
        **members,
    )


def laughing(at: float, *times: tuple[float, float]) -> float:
    """Return how sure a face laughs at a time, in percent."""
    return 97.0 if any(start <= at <= end for start, end in times) else 4.0


def hall(broker: Broker, since: float = SINCE, seconds: float = 40.0, rate: float = 5.0, name: str = "stage") -> list[str]:
    """Publish two people in a hall: one laughs at 10 and at 30 s, the other at 11 s and looks away half of the time."""
    ids = []
    for number in range(int(seconds * rate)):
        at = number / rate
        ann, bob = laughing(at, (10, 13), (30, 32)), laughing(at, (11, 14))
        people = [
            seen(f"{name}-1", ann, ann, age=30),
            seen(f"{name}-2", bob, bob, yaw=0.0 if at < seconds / 2 else 60.0, age=70),
        ]
        ids.append(publish(broker, name, at=since + at, faces=people, provider="aws us-east-1"))
    return ids


def are_written(process: HistoryProcess, count: int) -> bool:
    with process.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(results)).scalar_one()) >= count


def written(broker: Broker, data: Path) -> dict[str, list[dict[str, Any]]]:
    """Write what is in Redis by a process that ends then, and return the tables."""
    with history_process(broker, data) as process:
        wait_until(lambda: are_written(process, len(broker.scripts.xrange(keys.RESULTS))))
        return {table.name: rows(process, table) for table in (stays, laughs, audience)}


def publish_again(broker: Broker, entries: Any) -> None:
    pipe = broker.scripts.pipeline()
    for _, values in entries:
        pipe.xadd(keys.RESULTS, values)
    pipe.execute()


def alike(found: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> bool:
    """Say whether rows are the same, but for rounding and for the numbers that tell which laugh was written first."""
    one, other = (
        sorted(({**row, "number": 0} for row in rows), key=lambda row: str(list(row.values())[:3])) for rows in (found, others)
    )
    return one == [pytest.approx(row, abs=1e-6) for row in other]


@contextmanager
def running(valkey: Valkey, broker: Broker, data: Path, url: str = "") -> Iterator[tuple[Api, HistoryProcess]]:
    with (
        history_process(broker, data, database=url) as process,
        dashboard(valkey.url, DashboardSettings(data=data, provider=LOCAL, port=0)) as api,
    ):
        wait_until(lambda: broker.scripts.exists(keys.serving("history")))
        yield api, process


def test_the_hall_is_told_as_it_was(session_valkey: Valkey, broker: Broker, tmp_path: Path) -> None:
    with running(session_valkey, broker, tmp_path) as (api, process):
        hall(broker)
        wait_until(lambda: are_written(process, 200))
        told = api.get("/api/audience", since=SINCE, until=SINCE + 60)
        assert (told["since"], told["until"], told["step"]) == (SINCE, SINCE + 60, 60)
        (minute,) = told["series"]
        assert minute["present"] == pytest.approx(2 * 39.8 / 60, abs=0.01)
        assert (minute["arrivals"], minute["faces_per_minute"], minute["laughs"]) == (2, 2.0, 3)
        assert minute["attention"] == pytest.approx(0.75, abs=0.01)
        assert minute["smiling"] == pytest.approx(8 / 80, abs=0.02)
        assert minute["laughing"] == pytest.approx(8 / 80, abs=0.03)
        assert list(told["emotions"]) == ["CALM", "HAPPY"]
        assert sum(told["emotions"].values()) == pytest.approx(1, abs=0.001)
        assert told["genders"] == {"Female": 1, "Male": 1}
        assert [group["people"] for group in told["ages"]] == [0, 0, 1, 0, 0, 1]
        assert [group["people"] for group in told["dwell"]] == [0, 0, 0, 2, 0, 0, 0, 0]
        assert told["totals"]["dwell_seconds"] == pytest.approx(39.8, abs=0.1)
        starts = [(laugh["track"], laugh["start"] - SINCE, laugh["end"] - SINCE) for laugh in told["laughs"]]
        assert [track for track, *_ in starts] == ["stage-1", "stage-2", "stage-1"]
        for (_, start, end), (begin, over) in zip(starts, [(30, 32), (11, 14), (10, 13)], strict=True):
            assert (abs(start - begin) < 0.3, abs(end - over) < 0.3) == (True, True)
        assert api.get("/api/audience", camera="yard", since=SINCE, until=SINCE + 60)["series"] == []
        for step in STEPS:
            sums = [row for row in rows(process, audience) if row["step"] == step]
            assert sum(row["seconds"] for row in sums) == pytest.approx(2 * 39.8)
            assert sum(row["looks"] for row in sums) == 400
            assert sum(row["laughs"] for row in sums) == 3
        refused = api.http.get("/api/audience", params={"since": SINCE, "until": SINCE - 1})
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "SettingsError")


def test_whoever_is_there_now_is_told_and_measured(session_valkey: Valkey, broker: Broker, tmp_path: Path) -> None:
    with running(session_valkey, broker, tmp_path) as (api, process):
        now = float(broker.scripts.time()[0])  # type: ignore[index]  # not async
        hall(broker, now - 39.8)
        publish(broker, "yard", at=now - 30, faces=[seen("yard-1"), seen("yard-2")])
        publish(broker, "yard", at=now - 29, faces=[seen("yard-1")])  # who was seen once may have been nobody
        wait_until(lambda: are_written(process, 202))
        told = api.get("/api/audience")
        assert {**told["now"], "at": 0} == {
            "at": 0, "present": 2, "faces_per_minute": 3, "attention": 0.5, "smiling": 0.0, "laughs_per_minute": 3,
        }  # fmt: skip
        assert [(about["camera"], about["present"]) for about in told["cameras"]] == [("stage", 2), ("yard", 0)]
        (present,) = living(broker.scripts, "history")
        served = httpx.get(f"http://{present.metrics}/metrics").text
        assert 'rekstream_audience_present{camera="stage"} 2.0' in served
        assert 'rekstream_audience_laughs_per_minute{camera="stage"} 3.0' in served
        assert 'rekstream_audience_attention{camera="yard"}' not in served  # of nobody nothing is known


class Falls(Recorder):
    """A room after the audience that fails once, after all others had written."""

    fails = True

    def hear(self, *_: object) -> None:
        if Falls.fails:
            Falls.fails = False
            raise StorageError("as a kill in the midst of a batch")


def test_kills_and_pieces_lose_and_double_nothing(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stays, laughs and sums are the same whether one process heard all, or several did after each other in small pieces."""
    hall(broker)
    at_once = written(broker, tmp_path / "one")
    entries = broker.scripts.xrange(keys.RESULTS)
    broker.scripts.flushall()
    monkeypatch.setattr("history.writer.BATCH", 7)
    monkeypatch.setattr(process_module, "ROOMS", (*process_module.ROOMS, Falls))
    for part in (53, 61, 200):  # in the midst of laughs
        Falls.fails = True
        publish_again(broker, entries[len(broker.scripts.xrange(keys.RESULTS)) : part])
        in_pieces = written(broker, tmp_path / "many")
    assert not Falls.fails
    assert len(in_pieces["laughs"]) == 3
    assert [name for name, found in in_pieces.items() if not alike(found, at_once[name])] == []


def test_results_that_overtake_each_other_tell_the_same(broker: Broker, tmp_path: Path) -> None:
    chance = random.Random(7)
    hall(broker)
    in_order = written(broker, tmp_path / "one")
    entries = broker.scripts.xrange(keys.RESULTS)
    broker.scripts.flushall()
    late = sorted(range(200), key=lambda number: number / 5 + chance.uniform(0, 2.9))
    publish_again(broker, [entries[number] for number in late])
    mixed = written(broker, tmp_path / "two")
    assert [name for name, found in mixed.items() if not alike(found, in_order[name])] == []


def test_where_emotions_are_not_inferred_nobody_is_said_to_laugh(broker: Broker, tmp_path: Path) -> None:
    for number in range(50):
        joy = laughing(number / 5, (3, 6))
        about = seen("door-1", joy, joy)
        del about["Emotions"]  # as workers leave them out for a camera whose purpose is access
        publish(broker, "door", at=SINCE + number / 5, faces=[about, seen("door-2", joy, joy, Ignored="zone")])
    tables = written(broker, tmp_path)
    assert tables["laughs"] == []
    (stay,) = tables["stays"]  # and who is outside of the zones is not there
    assert (stay["track"], stay["emotion"]) == ("door-1", None)
    assert stay["smiling"] == pytest.approx(3.1, abs=0.2)


def test_a_show_has_a_receipt_that_adds_up(session_valkey: Valkey, broker: Broker, tmp_path: Path, url: str) -> None:
    put_cameras(broker, camera("stage"))
    with running(session_valkey, broker, tmp_path, url) as (api, process):
        wish = {"name": "Saturday", "cameras": ["stage"], "price": 0.3, "currency": "EUR"}
        show = api.http.post("/api/shows", json=wish).json()
        assert (show["running"], show["cameras"], show["gone_at"]) == (True, ["stage"], None)
        since = show["started_at"] - 45
        with process.database.writing() as connection:  # as if it had begun with the hall
            connection.execute(shows.update().values(started_at=since))
        hall(broker, since)
        publish(broker, "yard", at=since + 1, provider="aws us-east-1")
        publish(broker, "stage", at=since - 1, provider="aws us-east-1", faces=[])
        publish(
            broker,
            "stage",
            at=since + 2,
            provider="aws us-east-1",
            error={"Code": "ThrottlingException", "Message": "", "Kind": "throttled"},
        )
        wait_until(lambda: are_written(process, 203))
        receipt = api.http.post(f"/api/shows/{show['id']}/stop").json()
        assert receipt == {**api.get(f"/api/shows/{show['id']}"), "show": receipt["show"]}
        assert (receipt["show"]["running"], receipt["amount"]) == (False, 0.9)
        assert (receipt["laughs"]["counted"], receipt["laughs"]["disputed"]) == (3, 0)
        assert receipt["people"]["arrivals"] == 2
        assert receipt["calls"] == {"calls": 201, "dollars": 0.2, "failed": 1}  # a throttle is not charged
        assert sum(minute["laughs"] for minute in receipt["minutes"]) == 3
        assert receipt["peak"]["laughing"] == 2
        assert receipt["peak"]["at"] - since == pytest.approx(11, abs=0.3)
        assert (receipt["error"]["measured_at"], receipt["error"]["results_per_second"]) == (5, pytest.approx(5, abs=0.1))
        assert "not on real audiences" in receipt["error"]["sentence"]
        assert [one["id"] for one in api.get("/api/shows")["shows"]] == [show["id"]]

        first, second, _ = receipt["laughs"]["all"]
        place = f"/api/shows/{show['id']}/laughs/{first['id']}"
        told = api.get(place)
        assert told["laugh"] == first
        assert [round(told["trace"][-1]["at"] - told["trace"][0]["at"], 1)] == pytest.approx([2.0], abs=0.3)
        assert max(point["smoothed"] for point in told["trace"]) == pytest.approx(first["peak"], abs=0.001)
        assert (told["trace"][5]["happy"], told["begins_at"] > told["ends_at"]) == (0.97, True)
        assert api.http.patch(place, json={"disputed": True}).json()["disputed"] is True
        receipt = api.get(f"/api/shows/{show['id']}")
        assert (receipt["laughs"]["counted"], receipt["laughs"]["disputed"], receipt["amount"]) == (2, 1, 0.6)
        assert sum(minute["laughs"] for minute in receipt["minutes"]) == 2
        assert api.get("/api/audience", since=since, until=since + 60)["totals"]["laughs"] == 2
        assert api.http.patch(place, json={"disputed": False}).json()["disputed"] is False
        assert api.http.get(f"/api/shows/{show['id']}/laughs/{second['id'] + 99}").json()["error"]["code"] == "UnknownLaugh"
        assert api.http.get("/api/shows/s_0").json()["error"]["code"] == "UnknownShow"


@pytest.fixture
def room(broker: Broker, tmp_path: Path) -> Shows:
    return next(
        room for room in HistoryProcess(broker, HistorySettings(tmp_path), threading.Event()).rooms if isinstance(room, Shows)
    )


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({}, "a show needs a name"),
        ({"name": "x", "price": -1}, "the price '-1' must be a number from 0"),
        ({"name": "x", "currency": "euro"}, "three capital letters"),
        ({"name": "x", "cameras": "stage"}, "cameras must be a list"),
        ({"name": "x", "cameras": ["nowhere"]}, "there is no camera 'nowhere'"),
        ({"name": "x", "gone_at": 5}, "must be a time to come"),
        ({"name": "x", "until": 5}, "there is no member 'until'"),
    ],
)
def test_a_show_that_cannot_be_is_refused(room: Shows, wish: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RekstreamError, match=sentence):
        room.answers()["history.show.start"](Request("1", "history.show.start", wish))


def test_all_data_of_a_show_are_gone_at_the_hour_chosen(broker: Broker, tmp_path: Path) -> None:
    """What was before and after, and what was called and paid, stays."""
    with history_process(broker, tmp_path) as process:
        hall(broker, SINCE - 120, seconds=30)
        hall(broker, SINCE, seconds=30, name="stage")
        wait_until(lambda: are_written(process, 300))
        house = next(room for room in process.rooms if isinstance(room, Shows))
        with process.database.writing() as connection:
            row = {"name": "x", "cameras": "[]", "currency": "EUR", "started_at": SINCE - 1, "stopped_at": SINCE + 31}
            connection.execute(shows.insert().values(id="s_1", gone_at=SINCE + 100, **row))
        house.erase_gone()
        assert [row["captured_at"] < SINCE - 60 for row in rows(process, results)] == [True] * 150
        assert {row["at"] < SINCE for row in rows(process, faces)} == {True}
        assert [row for row in rows(process, laughs) if row["start"] >= SINCE] == []
        sums = [row for row in rows(process, audience) if row["step"] == 3600]
        assert sum(row["looks"] for row in sums) == 300
        assert all(
            abs(row["seconds"] - sum(r["seconds"] for r in rows(process, audience) if r["step"] == 60)) < 1e-6 for row in sums
        )
        assert [(row["calls"], row["faces"] > 0) for row in rows(process, minutes)] == [(150, True), (150, False)]
        assert {row["step"]: row["faces"] for row in rows(process, longer)} == dict.fromkeys(SUM_STEPS, 300)
        assert rows(process, shows) == []  # nothing of it can come late any more


def test_who_was_there_before_and_after_an_erased_show_keeps_that_and_can_be_forgotten(broker: Broker, tmp_path: Path) -> None:
    with history_process(broker, tmp_path) as process:
        hall(broker, seconds=20)
        wait_until(lambda: are_written(process, 100))
        (before,) = [row for row in rows(process, laughs) if row["track"] == "stage-1"]
        with process.database.writing() as connection:
            gone = [room.erase(connection, "stage", SINCE + 15, SINCE + 25) for room in process.rooms]
        assert {word: count for one in gone for word, count in one.items() if count} == {
            "faces": 50,
            "responses": 25,
            "stays": 2,
        }
        assert [(row["until"], row["faces"]) for row in rows(process, tracks)] == [(SINCE + 15, 75)] * 2
        for number in range(150, 200):  # from 30 s on one of them is there again, and laughs again
            joy = laughing(number / 5, (33, 35))
            publish(broker, "stage", at=SINCE + number / 5, faces=[seen("stage-1", joy, joy)])
        wait_until(lambda: are_written(process, 125))
        first, second = (row for row in rows(process, laughs) if row["track"] == "stage-1")
        assert (first, second["place"], second["start"] > SINCE + 32) == (before, 1, True)
        records = next(room for room in process.rooms if isinstance(room, Records))
        with process.database.writing() as connection:
            assert records.forget(connection, "", ["stage-1"])["responses"] == 125
            left = connection.execute(select(results.c.response).where(results.c.response.isnot(None))).scalars()
            assert [found for found in left if "stage-1" in str(unpacked(found))] == []


def test_the_tracks_of_somebody_who_is_forgotten_are_gone(broker: Broker, tmp_path: Path) -> None:
    with history_process(broker, tmp_path) as process:
        hall(broker)
        wait_until(lambda: are_written(process, 200))
        room = next(room for room in process.rooms if isinstance(room, Audience))
        with process.database.writing() as connection:
            assert room.forget(connection, "p_1", ["stage-1"]) == {"stays": 1, "laughs": 2, "stays under way": 1}
            assert set(room.remaining(connection, "p_1", ["stage-1"]).values()) == {0}
        assert [row["track"] for row in rows(process, stays)] == ["stage-2"]


def test_the_commands_start_stop_list_and_print_a_receipt(
    session_valkey: Valkey, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_cameras(broker, camera("stage"))
    with running(session_valkey, broker, tmp_path) as (api, process):

        def said(*words: str, code: int = 0) -> str:
            monkeypatch.setattr("sys.argv", ["rekstream", "show", *words, "--server", api.url])
            with pytest.raises(SystemExit) as end:
                cli.main()
            assert (end.value.code or 0) == code
            return "".join(capsys.readouterr())

        assert said("list") == "there are no shows\n"
        line = said("start", "Late", "--camera", "stage", "--price", "0.3", "--currency", "EUR", "--gone", "12h")
        show = line.split()[0]
        assert "Late  stage" in line
        assert "running, 0.3 EUR a laugh, its data go at 20" in line
        with process.database.writing() as connection:
            connection.execute(shows.update().values(started_at=SINCE))
        hall(broker)
        wait_until(lambda: are_written(process, 200))
        receipt = said("receipt", show)
        assert "3 laughs at 0.3 EUR: 0.90 EUR\n" in receipt
        assert "2 faces, there for 39.8 s on average" in receipt
        assert "200 calls, 0.20 dollars at most, 0 failed" in receipt
        assert "all of it is deleted, visits and alerts of that time and these cameras, too" in receipt
        assert "     3  ##############################\n" in receipt
        assert "until " in said("stop", show)
        assert show in said("list")
        assert "there is no show 's_0'" in said("receipt", "s_0", code=2)
        assert "is past: write 06:00" in said("start", "Late", "--gone", "2020-01-01", code=2)


@pytest.fixture
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_in_berlin")
def test_an_hour_is_that_of_the_clock_also_when_it_is_set_back() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=UTC).timestamp()  # 22:00 in summer
    assert datetime.fromtimestamp(hour_to_come("06:00", evening), UTC) == datetime(2026, 10, 25, 5, 0, tzinfo=UTC)


def test_the_hour_to_come_is_the_next_one_on_the_clock() -> None:
    now = datetime(2026, 11, 23, 22, 30).astimezone().timestamp()
    assert datetime.fromtimestamp(hour_to_come("06:00", now), UTC).astimezone().strftime("%d %H:%M") == "24 06:00"
    assert datetime.fromtimestamp(hour_to_come("23:15", now), UTC).astimezone().strftime("%d %H:%M") == "23 23:15"
    assert hour_to_come("12h", now) == pytest.approx(now + 43_200)
    for past in ("2026-11-22", "soon"):
        with pytest.raises(SettingsError):
            hour_to_come(past, now)
