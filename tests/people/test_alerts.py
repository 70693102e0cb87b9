"""An alert is made once a visit and watch, whatever is heard twice, undone or begun again; and it is what people asked for."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from people.alerts import Alerts
from people.audit import Audit
from people.database import Database
from people.house import House, PeopleSettings, Room
from people.identities import Identities
from people.register import Register
from people.rooms import TABLES
from people.visits import Cause, Visit, VisitChange, of_person, of_track, of_unknown
from people.watches import Kind, Wish
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.clock import RedisClock
from pipeline.entities import Camera, Operation, Purpose, Result
from tests.people.hooks import face
from tests.people.support import LOCAL

MONDAY = 1_795_400_000.0
CAMERAS = (
    Camera("door", "demo", 5.0, labels=10.0),
    Camera("yard", "demo", 5.0),
    Camera("office", "demo", 5.0, purpose=Purpose.ACCESS),
    Camera("hall", "demo", 5.0, purpose=Purpose.AUDIENCE),
)
URL = "http://127.0.0.1:9/"


@dataclass
class Desk:
    """The room of alerts over a file of its own; nothing is delivered."""

    room: Alerts
    database: Database
    identities: Identities

    def watch(self, kind: Kind, subject: str = "", cooldown: float = 60.0, cameras: Sequence[str] = ()) -> str:
        return self.room.watches.add(Wish(kind, subject, tuple(cameras), (URL,), cooldown), MONDAY - 10).id

    def hear(self, *heard: VisitChange | Result) -> list[str]:
        """Hear this in one transaction, and return causes of all alerts there are, the oldest first."""
        with self.database.transaction():
            for one in heard:
                self.room.visit_changed(one) if isinstance(one, VisitChange) else self.room.hear([one])
        return self.causes()

    def causes(self) -> list[str]:
        rows = self.database.rows("SELECT camera, cause FROM alerts ORDER BY captured_at, camera")
        return [f"{camera}: {cause}" for camera, cause in rows]


@contextmanager
def desk_at(broker: Broker, folder: Path) -> Iterator[Desk]:
    with closing(Database(folder, TABLES)) as database:
        house = House(broker, database, RedisClock(broker.scripts, 1), PeopleSettings(folder, LOCAL), CollectorRegistry())
        room, audit, register, identities = Alerts(house), Audit(house), Register(house), Identities(house)
        rooms: dict[type[Room], Room] = {Audit: audit, Register: register, Identities: identities}
        identities.meet(rooms)
        room.meet(rooms)
        yield Desk(room, database, identities)


@pytest.fixture
def desk(broker: Broker, tmp_path: Path) -> Iterator[Desk]:
    CameraRegistry(broker.scripts).put(CAMERAS)
    with desk_at(broker, tmp_path) as found:
        yield found


Happens = Literal["began", "changed", "ended", "gone", "rejected"]


def visit(
    number: int,
    at: float,
    who: str = of_person("p_1"),
    similarity: float = 99.5,
    camera: str = "door",
    kind: Happens = "changed",
) -> VisitChange:
    """Return that a visit became known at so many seconds after MONDAY."""
    stay = Visit(number, camera, who, similarity, MONDAY + at, MONDAY + at, not who.startswith("t:") or similarity < 0, True)
    person = stay.person
    return VisitChange(kind, stay, person, "Grace Hopper" if person else "", Cause("door-1", "1-1", MONDAY + at))


def result(at: float, *faces: dict[str, Any], camera: str = "door") -> Result:
    answer = {"FaceDetails": list(faces)}
    return Result(f"{at}-0", camera, 1, MONDAY + at, MONDAY + at + 0.3, 640, 360, "local", response=answer)


def labels(at: float, *names: str, sure: float = 90.0, camera: str = "door:labels") -> Result:
    found = [{"Name": name, "Confidence": sure, "Aliases": [{"Name": f"{name}gy"}]} for name in names]
    plain = result(at, camera=camera)
    return replace(plain, operation=Operation.DETECT_LABELS, response={"Labels": found})


def test_a_person_is_told_once_a_visit_from_the_similarity_on_that_a_watch_needs(desk: Desk) -> None:
    desk.watch(Kind.PERSON, "p_1", cooldown=0)
    assert desk.hear(visit(1, 0, kind="began", similarity=80.0), visit(1, 1, similarity=98.9)) == []
    assert desk.hear(visit(1, 2, similarity=99.0)) == ["door: visit 1"]
    assert desk.hear(visit(1, 3, similarity=99.9), visit(1, 9, kind="ended"), visit(2, 1, of_person("p_2"))) == [
        "door: visit 1"
    ]
    assert desk.hear(visit(3, 30)) == ["door: visit 1", "door: visit 3"]
    (newest, _) = desk.room.book.newest(10)
    assert newest.what == {"Id": "p_1", "Name": "Grace Hopper", "Similarity": 99.5}
    assert (newest.captured_at, newest.result, newest.track, newest.visit) == (MONDAY + 30, "1-1", "door-1", "3")


def test_a_watch_keeps_still_about_the_same_one_at_the_same_camera(desk: Desk) -> None:
    """For its cooldown; another camera and another unknown person are told of."""
    desk.watch(Kind.PERSON, "p_1")
    desk.watch(Kind.UNKNOWN)
    desk.hear(visit(1, 0), visit(2, 30), visit(3, 59, camera="yard"), visit(4, 61))
    assert desk.causes() == ["door: visit 1", "yard: visit 3", "door: visit 4"]
    desk.hear(visit(5, 100, of_unknown(12)), visit(6, 110, of_unknown(12)), visit(7, 120, of_unknown(13)))
    assert desk.causes()[3:] == ["door: visit 5", "door: visit 7"]


def test_somebody_is_unknown_once_a_search_found_nobody(desk: Desk) -> None:
    """Before that they may be anybody."""
    desk.watch(Kind.UNKNOWN)
    assert desk.hear(visit(1, 0, of_track("door-1"), kind="began")) == []
    assert desk.hear(visit(1, 1, of_track("door-1"), similarity=-1)) == ["door: visit 1"]
    assert desk.hear(visit(1, 2, of_unknown(12)), visit(2, 100)) == ["door: visit 1"]


def test_an_emotion_is_told_when_it_is_strongest_and_sure_in_two_results_running(desk: Desk) -> None:
    """Of each face by its track, once."""
    desk.watch(Kind.EMOTION, "HAPPY", cooldown=0)
    weak, other = face("HAPPY", 89.0, "door-1"), face("SAD", 99.0, "door-1")
    happy, friend = face(track="door-1"), face(track="door-2")
    assert desk.hear(result(0, happy), result(1, weak), result(2, happy), result(3, other), result(4, happy), result(5)) == []
    assert desk.hear(result(6, happy, friend), result(7, happy)) == ["door: door door-1"]
    assert desk.hear(result(8, happy, friend), result(9, friend)) == ["door: door door-1", "door: door door-2"]
    assert len(desk.hear(result(30, happy), result(31, happy))) == 2  # the same track is told of once
    assert desk.room.book.newest(1)[0].what == {"Type": "HAPPY", "Confidence": 99.0}


def test_an_emotion_is_told_once_a_visit_where_the_track_belongs_to_one(desk: Desk) -> None:
    """And goes with the person whose visit it is."""
    desk.watch(Kind.EMOTION, "HAPPY", cooldown=0)
    with desk.database.transaction():
        for track, at in (("door-1", 0.0), ("door-2", 3.0)):
            stay = desk.identities.visits.saw(track, "door", MONDAY + at, MONDAY + at + 2, None)
            desk.identities.visits.identify(stay, of_person("p_1"), 99.0)
    for track, at in (("door-1", 0.0), ("door-2", 3.0)):
        desk.hear(result(at, face(track=track)), result(at + 1, face(track=track)))
    assert desk.causes() == ["door: visit 1"]
    assert desk.room.forget("p_1")["alerts"] == 1


def test_without_tracks_an_emotion_is_told_when_it_begins_anew(desk: Desk) -> None:
    desk.watch(Kind.EMOTION, "HAPPY", cooldown=0)
    for at in (0.0, 0.2, 5.0, 5.2, 30.0, 30.2):
        desk.hear(result(at, face()))
    assert desk.causes() == [f"door: door {MONDAY + 0.2}", f"door: door {MONDAY + 30.2}"]


def test_a_face_that_does_not_count_is_not_looked_at(desk: Desk) -> None:
    desk.watch(Kind.EMOTION, "HAPPY")
    ignored = {**face(track="door-1"), "Ignored": "zone"}
    assert desk.hear(result(0, ignored), result(1, ignored)) == []


def test_a_label_is_told_when_it_is_found_and_was_not_for_a_while(desk: Desk) -> None:
    """By its other names, too; a dog that lies there all day is told of once."""
    desk.watch(Kind.LABEL, "dog", cooldown=0)
    desk.watch(Kind.LABEL, "catgy", cooldown=0)
    assert desk.hear(labels(0, "Dog", sure=79.9), labels(1, "Tree")) == []
    for at in range(10, 100, 10):
        desk.hear(labels(at, "Dog", "Tree"))
    desk.hear(labels(120, "Dog"), labels(200, "Dog", "Cat"))
    assert desk.causes() == [f"door: door {MONDAY + at}" for at in (10, 200, 200)]


def test_cameras_that_may_not_be_watched_for_it_are_left_out(desk: Desk) -> None:
    """Also those that are not named, not known, or not of the system (photos), and what was before the watch."""
    desk.watch(Kind.EMOTION, "HAPPY")
    desk.watch(Kind.PERSON, "p_1")
    desk.watch(Kind.UNKNOWN, cameras=["yard"])
    for camera in ("office", "gone", "photo-1"):
        desk.hear(result(0, face(), camera=camera), result(0.2, face(), camera=camera))
    desk.hear(visit(1, 0, camera="hall"), visit(2, 0, camera="gone"), visit(3, -20), visit(4, 0, of_unknown(1)))
    failed = replace(result(0, face()), error={"Code": "ThrottlingException", "Message": "slow down"})
    desk.hear(failed, replace(failed, captured_at=MONDAY + 1))
    assert desk.causes() == []


def test_a_correction_and_a_visit_that_is_over_are_no_news(desk: Desk) -> None:
    """Only what a result shows of a visit that goes on."""
    desk.watch(Kind.UNKNOWN)
    desk.watch(Kind.PERSON, "p_1")
    by_hand = Cause("door-1", "", MONDAY)
    for who in (of_unknown(3), of_person("p_1")):
        change = visit(1, 0, who)
        desk.hear(replace(change, cause=by_hand), replace(change, visit=replace(change.visit, is_open=False)))
    assert desk.causes() == []


def test_not_this_person_makes_their_alerts_wrong(desk: Desk) -> None:
    desk.watch(Kind.PERSON, "p_1", cooldown=0)
    desk.hear(visit(1, 0), visit(2, 20))
    desk.hear(replace(visit(1, 30, of_track("door-1"), kind="rejected"), person="p_1"))
    assert [(alert.visit, alert.verdict) for alert in desk.room.book.newest(9)] == [("2", None), ("1", "wrong")]


def test_who_is_forgotten_leaves_no_alert_no_delivery_and_no_watch(desk: Desk) -> None:
    desk.watch(Kind.PERSON, "p_1")
    desk.watch(Kind.PERSON, "p_2")
    desk.hear(visit(1, 0), visit(2, 0, of_person("p_2")))
    assert desk.room.remaining("p_1") == {"alerts": 1, "watches": 1}
    assert desk.room.forget("p_1") == {"alerts": 1, "watches": 1}
    assert desk.room.remaining("p_1") == {"alerts": 0, "watches": 0}
    assert desk.room.remaining("p_2") == {"alerts": 1, "watches": 1}
    assert len(desk.database.rows("SELECT * FROM deliveries")) == 1


def test_alerts_of_somebody_who_got_a_name_later_go_with_them(desk: Desk) -> None:
    """Until somebody says that it was not they."""
    desk.watch(Kind.UNKNOWN)
    desk.hear(visit(1, 0, of_unknown(3)), visit(1, 5), visit(2, 0, of_unknown(4), camera="yard"), visit(2, 5, camera="yard"))
    assert desk.room.remaining("p_1")["alerts"] == 2
    desk.hear(replace(visit(2, 9, of_unknown(4), camera="yard", kind="rejected"), person="p_1"))
    assert desk.room.forget("p_1")["alerts"] == 1
    assert desk.causes() == ["yard: visit 2"]


def test_alerts_go_after_their_days_and_receivers_with_their_last_watch(desk: Desk) -> None:
    watch = desk.watch(Kind.PERSON, "p_1")
    desk.hear(visit(1, 0))
    (chore,) = desk.room.chores()
    chore.action()
    assert len(desk.causes()) == 1
    with desk.database.transaction():
        desk.database.execute("UPDATE alerts SET at = ?", time.time() - 31 * 86_400)
    chore.action()
    assert desk.causes() == []
    assert desk.database.rows("SELECT * FROM deliveries") == []
    desk.room.watches.remove(watch)
    assert desk.database.rows("SELECT * FROM receivers") == []


class KilledError(Exception):
    """Stands for a kill: the transaction is undone."""


MOMENTS = st.floats(0, 300, allow_nan=False).map(lambda at: round(at, 1))
EMOTIONS = st.sampled_from([face(), face("SAD"), face(track="door-1"), face(track="door-2")])
HEARD = st.one_of(
    st.builds(visit, st.integers(1, 6), MOMENTS, st.sampled_from([of_person("p_1"), of_unknown(3), of_track("door-9")])),
    st.builds(lambda at, faces: result(at, *faces), MOMENTS, st.lists(EMOTIONS, max_size=2)),
    st.builds(lambda at, names: labels(at, *names), MOMENTS, st.lists(st.sampled_from(["Dog", "Tree"]), max_size=1)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HEARD, max_size=24), st.data())
def test_replays_and_kills_neither_lose_nor_double_an_alert(broker: Broker, heard: list[Any], data: st.DataObject) -> None:
    """Whatever the batches, what is undone in them and heard again, or heard again though it was kept: the same alerts."""
    CameraRegistry(broker.scripts).put(CAMERAS)
    heard.sort(key=lambda one: one.cause.captured_at if isinstance(one, VisitChange) else one.captured_at)
    found = []
    for is_calm in (True, False):
        with tempfile.TemporaryDirectory() as folder, desk_at(broker, Path(folder)) as desk:
            for kind, subject in ((Kind.PERSON, "p_1"), (Kind.UNKNOWN, ""), (Kind.EMOTION, "HAPPY"), (Kind.LABEL, "Dog")):
                desk.watch(kind, subject)
            if is_calm:
                for one in heard:
                    desk.hear(one)
            else:
                hear_wildly(desk, heard, data)
            kinds = desk.database.rows("SELECT kind, camera, cause FROM alerts ORDER BY kind, camera, cause")
            waiting = desk.database.rows("SELECT alert FROM deliveries WHERE state = 'waiting'")
            assert len(waiting) == len(kinds)
            found.append(kinds)
    assert found[0] == found[1]


def hear_wildly(desk: Desk, heard: Sequence[VisitChange | Result], data: st.DataObject) -> None:
    """Hear all of it in batches; some are undone in the middle first, after some everything is heard once more."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(heard)), max_size=5)) | {0, len(heard)})
    for begin, end in itertools.pairwise(cuts):
        batch = heard[begin:end]
        if data.draw(st.booleans()):
            with suppress(KilledError), desk.database.transaction():
                desk.hear(*batch[: data.draw(st.integers(0, len(batch)))])
                raise KilledError
        desk.hear(*batch)
        if data.draw(st.booleans()):
            desk.hear(*heard[:end])
