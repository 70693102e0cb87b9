"""The printable notice says of each camera what it does, keeps and does not do, and who answers questions."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from dashboard.answers import SECURITY_HEADERS
from dashboard.notice import NoticeFacts, notice
from pipeline.broker import Broker
from pipeline.entities import Camera, Purpose
from pipeline.provider import Provider
from tests.dashboard.support import Api, camera, put_cameras

LOCAL = NoticeFacts(Provider("local", "us-east-1"), "the front desk, 0123 456")
DAY = datetime(2026, 11, 23, tzinfo=UTC)
MASK = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5))


def words(door: Camera, facts: NoticeFacts = LOCAL) -> str:
    """Return what stands on the notice."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", notice(door, facts, DAY))).split())


@pytest.mark.parametrize("purpose", [Purpose.ACCESS, Purpose.WATCH])
def test_where_people_are_named_it_says_so_and_that_no_emotions_are_inferred(purpose: Purpose) -> None:
    said = words(camera("door", purpose=purpose))
    assert "compares each face with those of people who were enrolled" in said
    assert "It does not infer emotions." in said
    assert "expression of emotions" not in said
    assert "30 days" in said
    assert "24 hours" in said


def test_an_audience_is_not_identified_and_no_picture_of_it_is_kept() -> None:
    said = words(camera("hall", purpose=Purpose.AUDIENCE))
    assert "It identifies nobody" in said
    assert "It keeps no pictures." in said
    assert "expression of emotions" in said
    assert not {"enrolled", "visits:", "analysed a minute"} & set(said.lower().split())
    assert "Pictures that were analysed" not in said


def test_only_what_is_asked_for_is_said_to_be_estimated() -> None:
    said = words(camera("hall", purpose=Purpose.AUDIENCE, attributes=("AGE_RANGE",)))
    assert "estimates from each face: age." in said
    assert "It does not infer emotions." in said


def test_what_leaves_the_machine_is_said() -> None:
    assert "go nowhere else" in words(camera("door"))
    abroad = words(camera("door"), replace(LOCAL, provider=Provider("aws", "eu-west-1")))
    assert "Amazon Rekognition, a service of Amazon Web Services, in the region eu-west-1" in abroad


def test_an_archive_is_said_and_for_how_long() -> None:
    said = words(camera("door"), replace(LOCAL, archive="folder", keep_days=7))
    assert "Each of these pictures, in an archive 7 days" in said
    assert "What was found in a picture 7 days, in a database" in said
    assert "archived on such a computer" in said
    assert "no video" not in said
    abroad = words(camera("door"), replace(LOCAL, archive="AWS", privacy=True))
    assert "archived in Amazon S3" in abroad
    assert "go nowhere else" not in abroad
    assert "with bands over the faces" in abroad
    assert "archive" not in words(camera("hall", purpose=Purpose.AUDIENCE), replace(LOCAL, archive="folder"))
    assert "archive" not in words(camera("door"))
    assert "until somebody deletes it" in words(camera("door"), replace(LOCAL, keep_days=0))


def test_schedule_masks_labels_and_privacy_are_said() -> None:
    door = camera("door", schedule="mon-fri 08:00-18:00", masks=(MASK,), labels=10.0)
    said = words(door, replace(LOCAL, privacy=True, unknown_hours=0, visit_days=7))
    for sentence in ("mon-fri 08:00-18:00", "blacked out", "Every 10 seconds", "can be recognised", "7 days"):
        assert sentence in said
    assert "does not know by name" not in said


def test_who_named_nobody_gets_a_line_to_write_on() -> None:
    assert 'class="blank"' in notice(camera("door"), replace(LOCAL, contact=""), DAY)
    assert "the front desk, 0123 456" in words(camera("door"))


def test_what_people_write_is_text_and_nothing_else() -> None:
    page = notice(camera("door", schedule="<b>"), replace(LOCAL, contact="<script>alert(1)</script>"), DAY)
    assert "<script" not in page
    assert "<b>" not in page


def test_it_is_served_under_the_same_policy_as_every_page(api: Api, broker: Broker) -> None:
    put_cameras(broker, camera("door", purpose=Purpose.ACCESS))
    answer = api.http.get("/api/cameras/door/notice")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["Content-Security-Policy"] == SECURITY_HEADERS["Content-Security-Policy"]
    assert "style=" not in answer.text
    assert api.http.get("/api/cameras/porch/notice").json()["error"]["code"] == "UnknownCamera"
