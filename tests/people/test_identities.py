"""Who tracks are: results as workers publish them go in, and names in Redis, visits and what is told come out.

Most tests let the rooms of the process hear when they say so, without its threads; those about the process have a whole one.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from people import identities
from people.visits import VisitChange
from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, Purpose
from pipeline.errors import SettingsError, UnknownPerson, UnknownTrack
from pipeline.happenings import HappeningListener
from pipeline.requests import Requests
from pipeline.results import Results
from tests.conftest import Valkey
from tests.dashboard.support import until
from tests.people.rooms import Home
from tests.people.seeing import Seeing
from tests.people.support import people_process

GRACE_FACE, BOB_FACE = "f-grace", "f-bob"


@pytest.fixture
def home(broker: Broker, tmp_path: Path) -> Iterator[Home]:
    home = Home(broker, tmp_path)
    yield home
    home.database.close()


def test_a_search_names_a_track_in_results_and_in_its_visit(home: Home) -> None:
    grace = home.know("Grace Hopper", GRACE_FACE)
    home.seeing.stay("door-1", 0, 3)
    home.seeing.search(1, "door-1", **{GRACE_FACE: 99.1})
    home.heard()
    assert home.name("door-1") == "Grace Hopper"
    (visit,) = home.ask("visits.list")["visits"]
    assert visit["Person"] == {"Id": grace, "Name": "Grace Hopper", "Similarity": 99.1}
    assert (visit["camera"], visit["open"], visit["tracks"]) == ("door", True, ["door-1"])


def test_a_search_that_is_answered_before_its_frame_comes_out_counts(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    home.seeing.search(0, "door-1", **{GRACE_FACE: 99.1})
    home.heard()
    home.seeing.stay("door-1", 0, 1)
    home.heard()
    assert home.name("door-1") == "Grace Hopper"


def test_leaving_and_coming_back_is_one_visit_each(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    for track, began in (("door-1", 0), ("door-2", 20), ("door-3", 28)):
        home.seeing.stay(track, began, began + 5)
        home.seeing.search(began + 1, track, **{GRACE_FACE: 99.1})
    home.heard()
    assert home.visits() == [("door", "Grace Hopper", 0, 5), ("door", "Grace Hopper", 20, 33)]
    assert home.visits(person="grace hopper", limit=1) == home.visits(camera="door")[1:]
    assert home.visits(camera="yard") == []


def test_results_that_come_again_change_nothing(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    for track, began in (("door-1", 0), ("door-2", 20)):
        home.seeing.stay(track, began, began + 5)
        home.seeing.search(began + 1, track, **{GRACE_FACE: 85.0})
    home.heard()
    before = home.visits()
    home.seeing.publish_again()
    home.heard()
    assert home.visits() == before
    assert len(before) == 2


def test_a_better_view_overturns_an_early_name(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    home.know("Bob", BOB_FACE)
    home.seeing.stay("door-1", 0, 3)
    home.seeing.search(0, "door-1", weight=0.2, **{GRACE_FACE: 84.0})
    home.heard()
    assert home.name("door-1") == "Grace Hopper"
    home.seeing.search(2, "door-1", weight=1.0, **{BOB_FACE: 99.0})
    home.heard()
    assert home.name("door-1") == "Bob"
    assert home.visits() == [("door", "Bob", 0, 3)]


def test_faces_of_nobody_known_name_nobody(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    home.seeing.stay("door-1", 0, 1)
    home.seeing.search(1, "door-1", strange=99.0)
    home.heard()
    assert home.name("door-1") is None
    assert home.visits() == [("door", None, 0, 1)]


def test_repeated_unknowns_are_grouped_and_counted(home: Home) -> None:
    for visit in range(3):
        track = f"door-{visit}"
        home.seeing.view(track, who=7, weight=1 + visit)
        home.seeing.stay(track, 20 * visit, 20 * visit + 4)
    home.seeing.view("door-9", who=8)
    home.seeing.stay("door-9", 60, 64)
    home.heard()
    first, other = home.name("door-0"), home.name("door-9")
    assert first is not None
    assert first.startswith("u_")
    assert [home.name(f"door-{visit}") for visit in range(3)] == [first] * 3
    assert other not in (None, first)
    assert [(one["Id"], one["Visits"], one["cameras"]) for one in home.ask("unknowns.list")["unknowns"]] == [
        (other, 1, ["door"]),
        (first, 3, ["door"]),
    ]


def test_no_vector_of_an_unknown_face_is_kept_where_that_is_not_wanted(broker: Broker, tmp_path: Path) -> None:
    home = Home(broker, tmp_path, unknown_hours=0.0)
    home.seeing.view("door-1", who=7)
    home.seeing.stay("door-1", 0, 5)
    home.heard()
    assert home.name("door-1") is None
    assert home.database.rows("SELECT * FROM unknown_faces") == []
    home.database.close()


def test_vectors_of_unknown_faces_expire_and_their_visits_stay(home: Home) -> None:
    home.seeing.view("door-1", who=7)
    home.seeing.stay("door-1", 0, 5)
    home.heard()
    with home.database.transaction():
        home.identities.unknowns.expire(time.time() + 1)
    assert home.database.rows("SELECT * FROM unknown_faces") == []
    assert home.ask("unknowns.list") == {"unknowns": []}
    assert len(home.visits()) == 1


def test_this_is_grace_names_the_track_and_takes_her_unknown_visits_along(home: Home) -> None:
    for visit in range(2):
        home.seeing.view(f"door-{visit}", who=7)
        home.seeing.stay(f"door-{visit}", 20 * visit, 20 * visit + 4)
    home.heard()
    answer = home.ask("tracks.name", track="door-1", person="Grace Hopper", enrol=False)
    assert (answer["Person"]["Name"], answer["Person"]["Similarity"], answer["new"]) == ("Grace Hopper", None, True)
    assert home.visits() == [("door", "Grace Hopper", 0, 4), ("door", "Grace Hopper", 20, 24)]
    assert [home.name(f"door-{visit}") for visit in range(2)] == ["Grace Hopper"] * 2
    assert home.ask("unknowns.list") == {"unknowns": []}


def test_who_becomes_known_gets_the_unknown_visits_from_before(home: Home) -> None:
    """A sure search is enough: nobody has to say so."""
    for visit in range(2):
        home.seeing.view(f"door-{visit}", who=7)
        home.seeing.stay(f"door-{visit}", 20 * visit, 20 * visit + 4)
    home.seeing.view("door-8", who=8)
    home.seeing.stay("door-8", 0, 4)
    home.heard()
    home.know("Grace Hopper", GRACE_FACE)
    home.seeing.view("door-2", who=7)
    home.seeing.stay("door-2", 40, 44)
    home.seeing.search(41, "door-2", **{GRACE_FACE: 99.2})
    home.heard()
    assert home.visits(person="Grace Hopper") == [("door", "Grace Hopper", at, at + 4) for at in (0, 20, 40)]
    assert [one["track"] for one in home.ask("unknowns.list")["unknowns"]] == ["door-8"]


def test_who_was_said_not_to_be_somebody_keeps_the_visits_of_the_group(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    for visit in range(2):
        home.seeing.view(f"door-{visit}", who=7)
        home.seeing.stay(f"door-{visit}", 20 * visit, 20 * visit + 4)
        home.seeing.search(20 * visit + 1, f"door-{visit}", **{GRACE_FACE: 99.2})
        home.heard()
        if not visit:
            home.ask("tracks.unname", track="door-0")
    group = home.name("door-0")
    assert (group or "").startswith("u_")
    assert home.visits() == [("door", group, 0, 4), ("door", group, 20, 24)]


def test_who_was_not_ada_and_is_forgotten_as_grace_leaves_no_vector(home: Home) -> None:
    home.know("Ada", BOB_FACE)
    home.seeing.view("door-1", who=7)
    home.seeing.stay("door-1", 0, 4)
    home.seeing.search(1, "door-1", **{BOB_FACE: 99.2})
    home.heard()
    home.ask("tracks.unname", track="door-1")
    grace = home.ask("tracks.name", track="door-1", person="Grace Hopper", enrol=False)["Person"]["Id"]
    assert home.identities.remaining(grace)["rejections"] == 1
    home.identities.forget(grace)
    for table in ("rejections", "unknown_faces"):
        assert home.database.rows(f"SELECT * FROM {table}") == []


def test_where_frames_are_rare_a_visit_lasts_over_some_of_them(home: Home) -> None:
    """Else every frame of a camera that is looked at each 20 seconds would be a visit of its own."""
    CameraRegistry(home.broker.scripts).put([Camera("yard", "demo", 0.05)])
    home.know("Grace Hopper", GRACE_FACE)
    for number in range(4):
        for camera in ("yard", "door"):
            home.seeing.frame(20 * number, f"{camera}-{number}", camera=camera)
            home.seeing.search(20 * number, f"{camera}-{number}", **{GRACE_FACE: 99.2})
    home.heard()
    assert home.visits(camera="yard") == [("yard", "Grace Hopper", 0, 60)]
    assert len(home.visits(camera="door")) == 4


def test_a_number_that_somebody_else_has_got_brings_no_name_along(home: Home) -> None:
    """Numbers are given out once, but for clocks that are set back and the like."""
    home.know("Grace Hopper", GRACE_FACE)
    home.seeing.stay("door-1", -4000, -3990)
    home.seeing.search(-3999, "door-1", **{GRACE_FACE: 99.2})
    home.heard()
    assert home.name("door-1") == "Grace Hopper"
    home.seeing.stay("door-1", 0, 2)
    home.heard()
    assert home.name("door-1") is None
    assert home.visits() == [("door", "Grace Hopper", -4000, -3990), ("door", None, 0, 2)]


def test_the_proof_of_forgetting_sees_what_is_left(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a quarter of an hour later, when workers keep no view of her any more; a fault in forgetting is seen."""
    grace = home.know("Grace Hopper", GRACE_FACE)
    for track, began in (("door-1", 0), ("door-2", 100)):
        home.seeing.view(track, who=7)
        home.seeing.stay(track, began, began + 4)
        home.seeing.search(began + 1, track, **({GRACE_FACE: 95.0} if began else {}))
    home.heard()
    assert [home.name(track) for track in ("door-1", "door-2")] == ["u_1", "Grace Hopper"]
    home.broker.scripts.delete(keys.face("door-1"), keys.face("door-2"))
    with monkeypatch.context() as faulty:
        faulty.setattr(home.identities.unknowns, "dissolve", lambda _: None)
        assert home.identities.forget(grace)["unknowns"] == 1
        assert home.identities.remaining(grace)["unknowns"] == 1
    home.identities.forget(grace)
    assert set(home.identities.remaining(grace).values()) == {0}
    for table in ("unknown_faces", "named_faces"):
        assert home.database.rows(f"SELECT * FROM {table}") == []


def test_what_a_person_said_is_not_outvoted(home: Home) -> None:
    home.know("Bob", BOB_FACE)
    home.seeing.stay("door-1", 0, 2)
    home.heard()
    home.ask("tracks.name", track="door-1", person="Grace Hopper", enrol=False)
    home.seeing.search(1, "door-1", **{BOB_FACE: 99.9})
    home.heard()
    assert home.name("door-1") == "Grace Hopper"


def test_not_this_person_is_undone_everywhere_and_sticks(home: Home) -> None:
    grace = home.know("Grace Hopper", GRACE_FACE)
    told: list[VisitChange] = []
    home.identities.listeners.append(told.append)
    for track, began in (("door-1", 0), ("door-2", 3)):
        home.seeing.view(track, who=7)
        home.seeing.stay(track, began, began + 5)
        home.seeing.search(began + 1, track, **{GRACE_FACE: 99.1})
    home.heard()
    answer = home.ask("tracks.unname", track="door-2")
    assert (answer["Person"], answer["remembered"]) == (None, True)
    assert [home.name(track) == "Grace Hopper" for track in ("door-1", "door-2")] == [False, False]
    assert home.visits(person=grace) == []
    assert {(change.visit.person, change.person) for change in told if change.kind == "rejected"} == {(grace, grace)}
    home.seeing.search(7, "door-2", weight=3, **{GRACE_FACE: 99.9})
    home.seeing.view("door-3", who=7, weight=2)
    home.seeing.stay("door-3", 40, 45)
    home.seeing.search(41, "door-3", **{GRACE_FACE: 99.9})
    home.seeing.view("door-4", who=8)
    home.seeing.stay("door-4", 40, 45)
    home.seeing.search(41, "door-4", **{GRACE_FACE: 99.0})
    home.heard()
    assert home.visits(person=grace) == [("door", "Grace Hopper", 40, 45)]
    assert [home.name(f"door-{number}") == "Grace Hopper" for number in (2, 3, 4)] == [False, False, True]


def test_not_this_person_sticks_where_the_search_is_faster_than_the_view_of_its_face(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace = home.know("Grace Hopper", GRACE_FACE)
    monkeypatch.setattr(identities, "LOOK_SECONDS", 0.0)  # else a second passes
    for track, began in (("door-1", 0), ("door-2", 30)):
        if not began:
            home.seeing.view(track, who=7)
        home.seeing.stay(track, began, began + 2)
        home.seeing.search(began + 1, track, **{GRACE_FACE: 99.1})
        home.heard()
        if not began:
            home.ask("tracks.unname", track=track)
    assert home.name("door-2") == "Grace Hopper"
    home.seeing.view("door-2", who=7)
    home.seeing.frame(33, "door-2")
    home.heard()
    assert home.name("door-2") != "Grace Hopper"
    assert home.visits(person=grace) == []


def test_not_this_person_leaves_the_second_best_in_the_running(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    home.know("Bob", BOB_FACE)
    home.seeing.stay("door-1", 0, 2)
    home.seeing.search(1, "door-1", **{GRACE_FACE: 99.0, BOB_FACE: 90.0})
    home.heard()
    assert home.name("door-1") == "Grace Hopper"
    answer = home.ask("tracks.unname", track="door-1")
    assert (answer["Person"]["Name"], answer["remembered"]) == ("Bob", False)
    assert home.name("door-1") == "Bob"


def test_this_is_grace_takes_back_that_she_is_not(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    for track, began in (("door-1", 0), ("door-2", 30)):
        home.seeing.view(track, who=7)
        home.seeing.stay(track, began, began + 2)
        home.seeing.search(began + 1, track, **{GRACE_FACE: 99.1})
        home.heard()
        if track == "door-1":
            home.ask("tracks.unname", track="door-1")
            home.ask("tracks.name", track="door-1", person="Grace Hopper", enrol=False)
    assert [home.name(track) for track in ("door-1", "door-2")] == ["Grace Hopper"] * 2


@pytest.mark.parametrize(
    ("what", "members", "kind", "words"),
    [
        ("tracks.name", {"track": "door-9", "person": "Bob"}, UnknownTrack, "there is no track 'door-9'"),
        ("tracks.name", {"track": "door-1", "person": "p_nobody"}, UnknownPerson, "there is nobody called 'p_nobody'"),
        ("tracks.name", {"track": "door-1", "person": ""}, SettingsError, "name ''"),
        ("tracks.name", {"track": "door-1"}, SettingsError, "person 'None': write the id"),
        ("tracks.name", {"track": "door-1", "person": "Bob", "enrol": "yes"}, SettingsError, "enrol 'yes'"),
        ("tracks.unname", {"track": "door-1"}, UnknownTrack, "'door-1' has no name that could be taken back"),
        ("visits.list", {"person": "Nobody"}, UnknownPerson, "nobody called 'Nobody'"),
        ("visits.list", {"limit": 0}, SettingsError, "limit 0"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    home: Home, what: str, members: dict[str, Any], kind: type[Exception], words: str
) -> None:
    home.seeing.stay("door-1", 0, 2)
    home.heard()
    before = home.visits()
    with pytest.raises(kind, match=words):
        home.ask(what, **members)
    assert home.visits() == before
    assert home.register.all() == []


def test_nobody_is_known_where_the_purpose_is_an_audience(home: Home) -> None:
    CameraRegistry(home.broker.scripts).put([Camera("hall", "demo", 5.0, purpose=Purpose.AUDIENCE)])
    home.know("Grace Hopper", GRACE_FACE)
    home.seeing.view("hall-1", who=7)
    home.seeing.stay("hall-1", 0, 5, camera="hall")
    home.seeing.search(1, "hall-1", **{GRACE_FACE: 99.9})
    home.seeing.stay("door-1", 0, 1)
    home.heard()
    assert home.name("hall-1") is None
    assert [camera for camera, *_ in home.visits()] == ["door"]
    assert home.database.rows("SELECT * FROM unknown_faces") == []


def test_names_come_back_when_redis_was_emptied_of_them(home: Home) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    home.seeing.stay("door-1", 0, 1)
    home.seeing.search(1, "door-1", **{GRACE_FACE: 99.1})
    home.heard()
    home.broker.scripts.delete(keys.name("door-1"))
    home.identities._refresh()  # which is done every five seconds
    assert home.name("door-1") == "Grace Hopper"


def test_somebody_who_is_called_otherwise_is_so_in_all_results(home: Home) -> None:
    grace = home.know("Grace Hopper", GRACE_FACE)
    home.seeing.stay("door-1", -300, -299)
    home.seeing.search(-299, "door-1", **{GRACE_FACE: 99.1})
    home.heard()
    home.identities._refresh()
    home.register.change(grace, {"name": "Grace Brewster Hopper"})
    home.identities._refresh()
    assert home.name("door-1") == "Grace Brewster Hopper"


def test_a_camera_that_becomes_an_audience_names_nobody_any_more(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.know("Grace Hopper", GRACE_FACE)
    home.seeing.stay("hall-1", 0, 1, camera="hall")
    home.seeing.search(1, "hall-1", **{GRACE_FACE: 99.1})
    home.heard()
    assert home.name("hall-1") == "Grace Hopper"
    CameraRegistry(home.broker.scripts).put([Camera("hall", "demo", 5.0, purpose=Purpose.AUDIENCE)])
    monkeypatch.setattr("pipeline.purposes.LOOK_SECONDS", 0.0)  # else within a second
    home.identities._refresh()
    assert home.name("hall-1") is None
    with pytest.raises(SettingsError, match="nobody is named at 'hall': its purpose is an audience"):
        home.ask("tracks.name", track="hall-1", person="Grace Hopper")


def test_who_waits_for_a_search_may_be_grouped_but_is_not_taken_for_searched(home: Home) -> None:
    """Else a slow search would let a watch for unknown people tell of somebody who is known."""
    home.know("Grace Hopper", GRACE_FACE)
    told: list[VisitChange] = []
    home.identities.listeners.append(told.append)
    home.seeing.view("door-1", who=7)
    home.seeing.stay("door-1", 0, 5)
    home.heard()
    assert (home.name("door-1") or "").startswith("u_")
    assert not any(change.visit.is_searched for change in told)
    home.seeing.search(1, "door-1", **{GRACE_FACE: 99.1})
    home.heard()
    assert home.name("door-1") == "Grace Hopper"
    assert home.ask("unknowns.list") == {"unknowns": []}


def test_the_pages_are_told_of_names_and_visits(home: Home) -> None:
    listener = HappeningListener(home.broker.jobs)
    listener.next(0.01)
    grace = home.know("Grace Hopper", GRACE_FACE)
    home.seeing.stay("door-1", 0, 1)
    home.seeing.search(1, "door-1", **{GRACE_FACE: 99.1})
    home.heard()
    heard = list(iter(lambda: listener.next(0.2), None))
    listener.close()
    person = next(one.what for one in heard if one.kind == "person" and one.what["Person"])
    assert (person["track"], person["camera"], person["Person"]["Id"]) == ("door-1", "door", grace)
    told = [(one.what["kind"], (one.what["Person"] or {}).get("Name")) for one in heard if one.kind == "visit"]
    assert told[0] == ("began", None)
    assert ("changed", "Grace Hopper") in told


def test_a_visit_is_said_to_be_over_once_and_not_while_results_of_its_time_are_to_come(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[VisitChange] = []
    home.identities.listeners.append(told.append)
    home.seeing.stay("door-1", -60, -55)
    home.heard()
    home.identities._end_visits()
    assert [visit["open"] for visit in home.ask("visits.list")["visits"]] == [True]
    monkeypatch.setattr(identities, "WARM_UP_SECONDS", -1.0)
    monkeypatch.setattr(home.identities, "_behind_until", 0.0)
    for _ in range(2):
        home.identities._end_visits()
    assert [change.kind for change in told].count("ended") == 1
    assert [visit["open"] for visit in home.ask("visits.list")["visits"]] == [False]


def test_a_face_in_one_frame_that_was_never_seen_well_was_no_visit(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detectors find a face in a face now and then; who was seen well, or was named, was there."""
    monkeypatch.setattr(identities, "WARM_UP_SECONDS", -1.0)
    home.know("Grace Hopper", GRACE_FACE)
    home.seeing.view("door-2", who=7)
    for track in ("door-1", "door-2", "door-3"):
        home.seeing.frame(-60, track)
    home.seeing.search(-60, "door-3", **{GRACE_FACE: 99.1})
    home.heard()
    monkeypatch.setattr(home.identities, "_behind_until", 0.0)
    home.identities._end_visits()
    assert [name for _, name, _, _ in home.visits()] == [home.name("door-2"), "Grace Hopper"]
    assert (home.name("door-2") or "").startswith("u_")


def test_who_is_forgotten_is_gone_from_visits_votes_what_was_said_and_unknown_faces(home: Home) -> None:
    home.seeing.view("door-0", who=7)
    home.seeing.stay("door-0", -60, -50)
    home.heard()
    grace, bob = home.know("Grace Hopper", GRACE_FACE), home.know("Bob", BOB_FACE)
    for who, (track, face) in enumerate((("door-1", GRACE_FACE), ("door-2", BOB_FACE), ("door-3", GRACE_FACE)), 7):
        home.seeing.view(track, who=who)
        home.seeing.stay(track, 0, 3)
        home.seeing.search(1, track, **{face: 90.0})
    home.heard()
    home.ask("tracks.unname", track="door-3")
    assert home.identities.tracks_of(grace) == ["door-1"]
    assert len(home.ask("unknowns.list")["unknowns"]) == 2
    there = {"visits": 1, "tracks": 1, "vectors": 1, "rejections": 1, "votes": 2, "unknowns": 1}
    assert home.identities.remaining(grace) == there
    assert home.identities.forget(grace) == there
    assert set(home.identities.remaining(grace).values()) == {0}
    assert set(home.identities.forget(grace).values()) == {0}
    assert home.visits(person=bob) == [("door", "Bob", 0, 3)]
    assert [one["track"] for one in home.ask("unknowns.list")["unknowns"]] == ["door-3"]


_PROCESS = """
import sys, threading
from pathlib import Path
from people.house import PeopleSettings
from people.process import run
from pipeline.broker import Broker
from pipeline.provider import Provider
run(Broker(sys.argv[1]), PeopleSettings(Path(sys.argv[2]), Provider("local", "us-east-1")), threading.Event())
"""


def test_a_kill_in_the_middle_loses_and_doubles_no_visit(own_valkey: Valkey, tmp_path: Path) -> None:
    """Killed again and again while results come, it ends with the visits of one that was left alone."""
    broker = Broker(own_valkey.url)
    seeing = Seeing(broker)
    command = [sys.executable, "-c", _PROCESS, own_valkey.url, str(tmp_path)]
    for kill in range(2):
        with subprocess.Popen(command) as process:
            for visit in range(kill * 10, kill * 10 + 10):
                seeing.stay(f"door-{visit}", visit * 20, visit * 20 + 4)
                if visit % 10 == 5:
                    until(lambda: broker.scripts.exists(keys.serving("people")))
            process.kill()
        broker.scripts.delete(keys.serving("people"))
    with people_process(broker, tmp_path) as process:
        last = Results(broker.scripts).last_id()
        until(lambda: process.house.database.rows("SELECT result FROM cursors") == [(last,)])
        visits = Requests(broker).ask("visits.list")["visits"][::-1]
        times = [tuple(round(visit[at] - seeing.began, 1) for at in ("began_at", "ended_at")) for visit in visits]
        assert times == [(visit * 20.0, visit * 20 + 4.0) for visit in range(20)]
    broker.close()
