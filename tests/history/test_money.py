"""Money: each call once, at the price its month has reached, by operation, camera and day, and against the budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from dashboard.settings import DashboardSettings
from history import money
from history.calls import call_rows, spending
from history.database import Database
from history.rooms import TABLES
from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.prices import COLUMNS, Prices, built_in, read
from pipeline.spending import Budget, Purse, Spending
from rekstream import cli
from tests.conftest import Valkey, wait_until
from tests.dashboard.support import LOCAL, dashboard
from tests.history.support import history_process, publish, rows

AWS = "aws us-east-1"
HEAD = ",".join(COLUMNS)
CHEAPER = Prices(
    read(
        f"{HEAD}\n*,DetectFaces DetectLabels,0,0.001,known,,\n*,DetectFaces DetectLabels,100,0.0005,known,,\n"
        "*,SearchFacesByImage,0,0.002,known,,\n",
        "prices.csv",
    )
)


def at(day: int, hour: int = 0, minute: int = 0) -> float:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()


def row(when: float, charged: int, camera: str = "door", operation: str = "DetectFaces", provider: str = AWS) -> dict[str, Any]:
    names = {"hour": int(when // 3600) * 3600, "camera": camera, "operation": operation, "provider": provider}
    return {**names, "calls": charged, "failed": 0, "charged": charged, "since": when, "until": when}


@pytest.fixture
def connection(tmp_path: Path, url: str) -> Iterator[Connection]:
    database = Database(tmp_path, url, TABLES)
    with database.writing() as open_connection:
        yield open_connection
    database.close()


def asked(connection: Connection, since: float, until: float, *cameras: str, budget: Spending | None = None) -> dict[str, Any]:
    return money.answer(connection, CHEAPER, "us-east-1", money.Question(since, until, until, cameras), budget)


def result(error: Mapping[str, str] | None = None, **response: Any) -> Result:
    return Result("1-0", "door", 1, at(2), at(2), 1280, 720, AWS, error=error, response=response)


@pytest.mark.parametrize(
    ("error", "charged"),
    [
        (None, 1),
        ({"Code": "ThrottlingException", "Kind": "throttled"}, 0),
        ({"Code": "AccessDeniedException", "Kind": "denied"}, 0),
        ({"Code": "InternalServerError", "Kind": "server"}, 0),
        ({"Code": "ReadTimeoutError", "Kind": "timeout"}, 1),
        ({"Code": "InvalidParameterException", "Kind": "no_face"}, 1),
        ({"Code": "WorkerLost", "Message": "the worker that held this frame did not come back"}, 1),
    ],
)
def test_a_call_is_charged_unless_it_is_known_that_no_picture_was_analysed(
    error: Mapping[str, str] | None, charged: int
) -> None:
    (counted,) = call_rows([result(error)])
    assert (counted["calls"], counted["failed"], counted["charged"]) == (1, int(error is not None), charged)


def test_attempts_that_timed_out_before_are_charged_too() -> None:
    assert call_rows([result(paid_before=2)])[0]["charged"] == 3
    assert call_rows([result(paid_before="many")])[0]["charged"] == 1


def test_calls_of_a_month_get_cheaper_together_and_begin_anew_with_the_next(connection: Connection) -> None:
    connection.execute(insert(spending), [row(at(1), 60), row(at(1), 20, operation="DetectLabels"), row(at(2), 40, "hall")])
    connection.execute(insert(spending), [row(at(30, 23), 10), row(datetime(2026, 12, 1, tzinfo=UTC).timestamp(), 10)])
    november = asked(connection, at(1), at(30) + 86_400)
    assert november["dollars"] == pytest.approx(0.1 + 30 * 0.0005)
    assert asked(connection, at(1), at(30) + 2 * 86_400)["dollars"] == pytest.approx(0.115 + 0.01)
    second = asked(connection, at(2), at(3))  # 80 were made before: 20 at the first price, 20 at the next
    assert second["dollars"] == pytest.approx(0.03)
    assert [(entry["at"], entry["dollars"]) for entry in second["series"]] == [(at(2), 0.03)]


def test_the_parts_are_the_whole(connection: Connection) -> None:
    for day in (3, 4, 5, 6, 7):
        for camera in ("door", "hall"):
            operations = [("DetectFaces", 37), ("SearchFacesByImage", 3)]
            connection.execute(insert(spending), [row(at(day, 9), many, camera, name) for name, many in operations])
    for since, until in ((at(3), at(8)), (at(3), at(5)), (at(4, 9), at(6, 10))):
        told = asked(connection, since, until)
        for part in ("by_operation", "by_camera", "series"):
            for member in ("calls", "charged", "dollars"):
                assert sum(entry[member] for entry in told[part]) == pytest.approx(told[member]), (part, member)
        alone = [asked(connection, since, until, camera)["dollars"] for camera in ("door", "hall")]
        assert sum(alone) == pytest.approx(told["dollars"])


def test_the_whole_hours_are_told_that_were_counted(connection: Connection) -> None:
    connection.execute(insert(spending), [row(at(1, hour), 1) for hour in range(24)])
    told = money.answer(connection, CHEAPER, "us-east-1", money.Question(at(1, 5, 30), at(1, 8, 30), at(2)))
    assert (told["since"], told["until"], told["calls"]) == (at(1, 5), at(1, 9), 4)
    told = money.answer(connection, CHEAPER, "us-east-1", money.Question(at(1, 5, 30), at(1, 8, 30), at(1, 8, 30)))
    assert (told["until"], told["calls"]) == (at(1, 8, 30), 4)  # up to now


def test_hours_and_days_add_up_to_the_same(connection: Connection) -> None:
    connection.execute(insert(spending), [row(at(1, hour), 17) for hour in range(24)])
    by_hour, by_day = asked(connection, at(1), at(2)), asked(connection, at(1), at(9))
    assert (by_hour["bucket_seconds"], by_day["bucket_seconds"]) == (3600, 86_400)
    assert (len(by_hour["series"]), len(by_day["series"])) == (24, 1)
    assert by_hour["dollars"] == pytest.approx(by_day["dollars"])


def test_what_nobody_is_paid_for_is_told_apart_and_moves_no_step_of_what_is(connection: Connection) -> None:
    connection.execute(insert(spending), [row(at(1), 150, provider="local"), row(at(1), 10)])
    told = asked(connection, at(1), at(2))
    assert (told["dollars"], told["would_cost"]) == (0.01, pytest.approx(0.125))
    assert {entry["provider"]: entry["dollars"] for entry in told["by_operation"]} == {"local": 0.0, AWS: 0.01}


def test_the_month_goes_on_as_in_the_last_hour_and_day(connection: Connection) -> None:
    now = at(15, 12)
    hours = [row(now - hours * 3600, 10, operation="SearchFacesByImage") for hours in range(2, 25)]
    connection.execute(insert(spending), [*hours, row(now - 3600, 20, operation="SearchFacesByImage")])
    told = asked(connection, at(1), now)["month"]
    left = (told["end"] - now) / 3600
    hour, day = told["forecasts"]
    assert (hour["seconds"], hour["calls_per_day"]) == (3600, 480.0)
    assert hour["dollars"] == pytest.approx((250 + 20 * left) * 0.002)
    assert (day["seconds"], day["calls_per_day"]) == (86_400, 250.0)
    assert day["dollars"] == pytest.approx((250 + 250 / 24 * left) * 0.002)


def test_a_forecast_reaches_the_cheaper_steps(connection: Connection) -> None:
    now = at(1, 1)
    connection.execute(insert(spending), [row(at(1), 50)])
    (hour,) = asked(connection, at(1), now)["month"]["forecasts"]
    assert hour["dollars"] == pytest.approx(0.1 + (50 * 30 * 24 - 100) * 0.0005)


def test_nothing_is_continued_before_there_is_a_minute_to_look_at(connection: Connection) -> None:
    assert asked(connection, at(1), at(1, 1))["month"]["forecasts"] == []
    connection.execute(insert(spending), [row(at(1, 0, 59) + 30, 5)])
    assert asked(connection, at(1), at(1, 1))["month"]["forecasts"] == []


def test_the_budget_stands_beside_what_was_recorded_at_its_prices(connection: Connection) -> None:
    connection.execute(insert(spending), [row(at(1), 200), row(at(2, 1), 90), row(at(2, 1), 500, provider="local")])
    budget = Spending(at(2), at(3), 1.0, 0.5)
    told = asked(connection, at(1), at(2, 6), budget=budget)["budget"]
    assert (told["by_camera_dollars"], told["not_by_camera_dollars"]) == (0.09, 0.41)
    assert told["spent_at"] == at(2, 12)
    assert asked(connection, at(1), at(2, 18), budget=budget)["budget"]["spent_at"] is None


def test_money_is_told_over_http_and_in_words(
    session_valkey: Valkey, broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, _ = broker.scripts.time()  # type: ignore[misc]  # redis-py types every command as sync-or-async
    Purse(broker.scripts).seed(Budget(1.0, "month"), float(seconds), 0.01)
    with (
        dashboard(session_valkey.url, DashboardSettings(data=tmp_path, provider=LOCAL, port=0)) as api,
        history_process(broker, tmp_path, prices=built_in()) as process,
    ):
        for camera in ("door", "door", "hall"):
            publish(broker, camera, provider=AWS)
        publish(broker, "door:7", operation="SearchFacesByImage", provider=AWS)
        publish(broker, "door", provider=AWS, error={"Code": "ThrottlingException", "Message": "", "Kind": "throttled"})
        publish(broker, "photo-1f0c", provider="local")
        wait_until(lambda: sum(entry["calls"] for entry in rows(process, spending)) == 6)
        wait_until(lambda: broker.scripts.exists(keys.serving("history")))
        told = api.get("/api/money", since="24h")
        assert (told["calls"], told["failed"], told["charged"], told["dollars"], told["would_cost"]) == (6, 1, 5, 0.004, 0.001)
        cameras = {entry["camera"]: (entry["calls"], entry["dollars"]) for entry in told["by_camera"]}
        assert cameras == {"door": (4, 0.003), "hall": (1, 0.001), "photo": (1, 0.0)}
        assert (told["budget"]["by_camera_dollars"], told["budget"]["not_by_camera_dollars"]) == (0.004, 0.006)
        assert api.get("/api/money", camera=["hall", "photo"])["calls"] == 2
        refused = api.http.get("/api/money?since=yesterday")
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "SettingsError")
        monkeypatch.setattr("sys.argv", ["rekstream", "money", "--since", "24h", "--server", api.url])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "$0.004 and would be $0.001 on AWS more" in said
    assert "budget: $0.01 of $1.00 spent (1%)" in said
    assert "$0.004 of it by camera, $0.006 not by camera" in said
    assert "door" in said
    assert "photo" in said
