"""History and attendance over HTTP, with the real people process: found, corrected, written down who looked."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.settings import DashboardSettings
from history.schema import results
from pipeline import keys
from pipeline.archive import ArchiveSettings
from pipeline.broker import Broker
from pipeline.errors import SettingsError
from pipeline.settings import Settings
from rekstream import history_files
from rekstream.report.command import Wishes, write_report
from tests.conftest import Valkey, wait_until
from tests.dashboard.support import LOCAL, Api, dashboard
from tests.history.knowing import Both, both
from tests.history.support import history_process, rows


@pytest.fixture
def home(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    monkeypatch.setattr("history.mirror.FOLLOW_SECONDS", 0.05)
    monkeypatch.setattr("people.follower.BLOCK_SECONDS", 0.05)
    monkeypatch.setattr("dashboard.live.BLOCK_SECONDS", 0.05)
    with both(broker, tmp_path, time_zone="UTC") as found:
        yield found


@pytest.fixture
def api(session_valkey: Valkey, home: Both, tmp_path: Path) -> Iterator[Api]:
    with dashboard(session_valkey.url, DashboardSettings(data=tmp_path, provider=LOCAL, port=0)) as found:
        yield found


def seen(home: Both, api: Api) -> str:
    grace = home.know("Grace Hopper", "f1")
    home.seeing.stay("door-1", -30, -26)
    home.seeing.search(-29, "door-1", f1=99.5)
    wait_until(lambda: len(rows(home.history, results)) == 10)
    wait_until(lambda: [one["visits"] for one in api.get("/api/attendance")["attendance"]] == [1])
    return grace


def test_results_and_visits_of_before_are_found_and_who_looked_is_written_down(home: Both, api: Api) -> None:
    assert api.http.get("/api/history", params={"person": "nobody"}).status_code == 404
    grace = seen(home, api)
    found = api.get("/api/history", person="Grace Hopper", limit=4)
    assert len(found["results"]) == 4
    assert found["results"][0]["FaceDetails"][0]["Person"] == {"Id": grace, "Name": "Grace Hopper"}
    rest = api.get("/api/history", person="Grace Hopper", before=found["next"])
    assert (len(rest["results"]), rest["next"]) == (5, None)
    told = api.get("/api/history/timeline")
    assert [(one["camera"], sum(each["faces"] for each in one["buckets"])) for one in told["cameras"]] == [("door", 9)]
    assert [(one["Person"]["Name"], one["visits"], one["seconds"]) for one in told["people"]] == [("Grace Hopper", 1, 4.0)]
    assert [one["Person"]["Id"] for one in told["visits"]] == [grace]
    log = {(one["what"], one["person"]) for one in api.get("/api/audit")["audit"]}
    assert {("history", grace), ("history", ""), ("attendance", "")} <= log


def test_attendance_is_corrected_with_what_was_seen_beside_it_and_an_entry_in_the_audit_log(home: Both, api: Api) -> None:
    grace = seen(home, api)
    told = api.get("/api/attendance")
    (entry,) = told["attendance"]
    assert (told["zone"], entry["state"], entry["correction"], entry["corrections"]) == ("UTC", "present", None, 0)
    path = f"/api/attendance/{grace}/{entry['day']}"
    corrected = api.http.patch(path, json={"arrival": "00:00", "excused": "doctor in the morning"}).json()
    assert (corrected["clock"]["first"], corrected["last_at"]) == ("00:00:00", entry["last_at"])
    assert corrected["seen"] == {"first_at": entry["first_at"], "last_at": entry["last_at"]}
    assert corrected["correction"] | {"at": 0} == {
        "arrival": "00:00", "leaving": None, "excused": "doctor in the morning", "by": "this machine", "at": 0
    }  # fmt: skip
    assert api.get("/api/attendance")["attendance"] == [corrected]
    (noted,) = (one for one in api.get("/api/audit")["audit"] if one["what"] == "correct attendance")
    assert (noted["person"], noted["detail"]) == (grace, f"{entry['day']}: arrival 00:00, excused")
    back = api.http.patch(path, json={"arrival": None, "excused": None}).json()
    assert (back["first_at"], back["correction"], back["corrections"]) == (entry["first_at"], None, 2)
    for body, why in (
        ({}, "write what is to be corrected"),
        ({"first": "08:00"}, "a day has no member 'first'"),
        ({"arrival": "25:00"}, "write what the clock showed"),
        ({"leaving": "00:00"}, "leaving 00:00: they were seen from"),
        ({"arrival": "23:59:59"}, "arrival 23:59:59: they were seen until"),
        ({"arrival": "10:00", "leaving": "09:00"}, "leaving 09:00 is before arrival 10:00"),
        ({"excused": 7}, "write a reason of up to 200 characters"),
    ):
        refused = api.http.patch(path, json=body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (422, "SettingsError")
        assert why in refused.json()["error"]["message"]
    assert api.http.patch(f"/api/attendance/nobody/{entry['day']}", json={"excused": "ill"}).status_code == 404


def test_attendance_as_csv_is_safe_for_a_spreadsheet(home: Both, api: Api) -> None:
    seen(home, api)
    home.know("=cmd()", "f2")
    wait_until(lambda: len(api.get("/api/attendance")["attendance"]) == 2)
    answer = api.http.get("/api/attendance", params={"format": "csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="attendance-20')
    absent, of_all, of_door = csv.DictReader(io.StringIO(answer.text))
    assert (absent["person"], absent["state"], absent["first"]) == ("'=cmd()", "absent", "")
    assert (of_all["person"], of_all["camera"], of_all["state"], of_all["visits"]) == ("Grace Hopper", "", "present", "1")
    assert (of_door["camera"], of_door["first"]) == ("door", of_all["first"])
    by_header = api.http.get("/api/attendance", headers={"Accept": "text/csv"})
    assert by_header.text == answer.text


def test_a_correction_that_the_audit_log_cannot_have_is_not_made(
    session_valkey: Valkey, home: Both, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace = seen(home, api)
    monkeypatch.setattr("pipeline.requests.Requests._check_somebody_serves", _nobody_serves_people)
    day = api.get("/api/attendance")["day"]
    refused = api.http.patch(f"/api/attendance/{grace}/{day}", json={"excused": "ill"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "PeopleAway")
    assert api.get("/api/attendance")["attendance"][0]["corrections"] == 0


def _nobody_serves_people(requests: object) -> None:
    if requests._topic == "people":  # type: ignore[attr-defined]  # it is Requests
        raise requests._away("the people process is not running: start `rekstream people`, or see its log")  # type: ignore[attr-defined]  # as above


def test_a_text_that_no_database_takes_is_refused_in_the_same_sentence_by_both(
    session_valkey: Valkey, broker: Broker, tmp_path: Path, url: str
) -> None:
    settings = DashboardSettings(data=tmp_path, provider=LOCAL, port=0)
    pictures = ArchiveSettings(tmp_path / "pictures")
    with (
        history_process(broker, tmp_path, database=url, archive=pictures),
        dashboard(session_valkey.url, settings) as api,
    ):
        wait_until(lambda: broker.scripts.exists(keys.serving("history")))
        paths = ["/api/history", "/api/history/timeline", "/api/audience", "/api/money", "/api/attendance"]
        answers = [api.http.get(path, params={"camera": "a\0b"}) for path in paths]
        answers.append(api.http.get("/api/history/frame", params={"camera": "a\0b", "id": "1-0"}))
        half = {"Content-Type": "application/json", "X-Rekstream": "1"}
        answers.append(api.http.post("/api/shows", content=b'{"name": "x", "camera": "a\\ud800b"}', headers=half))
        assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(422, "SettingsError")}
        said = {answer.json()["error"]["message"] for answer in answers}
        told = (r"camera 'a\x00b'", r"cameras 'a\x00b'", r"camera 'a\ud800b'")
        assert said == {f"{text} is no text: there is a NUL or half of a letter in it" for text in told}
        assert api.http.get("/api/shows/a%00b").status_code == 422
        here = Settings(data=tmp_path, database=url or None)
        with pytest.raises(SettingsError, match="is no text: there is a NUL"):
            history_files.export(here, "1d", "now", ("\udcff",), "csv", tmp_path / "out")
        with pytest.raises(SettingsError, match="is no text: there is a NUL"):
            write_report(here, Wishes("1d", "now", ("\udcff",), tmp_path / "out"))
