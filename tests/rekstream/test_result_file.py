"""Lines of `rekstream up --output` say who somebody is, as far as that is known when they are written."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.broker import Broker
from pipeline.names import Names, TrackName
from rekstream.output import ResultFile
from tests.people.seeing import Seeing


def test_lines_carry_the_names_of_tracks(broker: Broker, tmp_path: Path) -> None:
    grace = {"Id": "p_1", "Name": "Grace Hopper", "Similarity": 99.1}
    Names(broker.scripts).write({"door-1": TrackName(person=grace)})
    results = ResultFile(tmp_path / "results.jsonl")
    results.begin("0-0")
    Seeing(broker).frame(0, "door-1", "door-2")
    results.finish(broker)
    (line,) = (tmp_path / "results.jsonl").read_text().splitlines()
    assert [face.get("Person") for face in json.loads(line)["FaceDetails"]] == [grace, None]
