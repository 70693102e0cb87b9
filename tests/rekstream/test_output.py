"""The file of --output: results of cameras, nobody else's to read."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from pipeline import keys
from pipeline.broker import Broker
from pipeline.names import Names, TrackName
from rekstream.output import ResultFile

ABOUT = {"seq": 1, "captured_at": 1.0, "width": 640, "height": 480}


def publish(broker: Broker, mailbox: str, **members: object) -> None:
    entry = {"camera": mailbox, "published_at": "2.0", "result": json.dumps({**ABOUT, **members})}
    broker.scripts.xadd(keys.RESULTS, entry)  # type: ignore[arg-type]  # redis-py's fields are invariant


def test_it_holds_the_frames_of_cameras_and_neither_searches_nor_photos(broker: Broker, tmp_path: Path) -> None:
    """With the names that faces have when they are written."""
    Names(broker.scripts).write({"door-1": TrackName(person={"Id": "p_1", "Name": "Grace"})})
    path = tmp_path / "results.jsonl"
    file = ResultFile(path)
    file.begin("0-0")
    publish(broker, "door", FaceDetails=[{"Track": "door-1"}])
    publish(broker, "door:1", FaceMatches=[], operation="SearchFacesByImage")
    publish(broker, "photo-1", FaceDetails=[])
    file.finish(broker)
    (line,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (line["camera"], line["FaceDetails"][0]["Person"]["Name"]) == ("door", "Grace")


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    ResultFile(path)._file.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
