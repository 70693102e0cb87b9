"""`rekstream study`: what is changed and nothing else, what counts as surviving, and that a picture stays where it was sent."""

from __future__ import annotations

import base64
import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import cv2
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from pipeline.errors import ProviderError, RekstreamError, SettingsError
from pipeline.settings import Settings, load
from rekognition_local.server import Server, ServerSettings
from rekstream.study.charts import charts
from rekstream.study.command import Wishes, rekognition_for, study_pictures
from rekstream.study.comparison import Outcome, compare, readings, same_face
from rekstream.study.covers import PARTS, cover
from rekstream.study.page import page
from rekstream.study.pictures import as_jpeg, read_picture
from rekstream.study.storage import Held, Storage
from rekstream.study.survey import Study, Survey
from rekstream.study.table import SHORT, in_short
from rekstream.study.variants import GAINS, Change, as_it_is, changed, count, sizes
from tests.conftest import wait_until
from tests.endpoint import FACE, Endpoint
from tests.rekstream.running import run
from tests.vision.scenes import ASTRONAUT, EYES, HOPPER, MOUTHS, background, jpeg, portrait, portrait_bytes, with_orientation

GREY = 128
BOX = {"Left": 0.3, "Top": 0.2, "Width": 0.2, "Height": 0.4}


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A real S3 server with a bucket, and one that keeps versions."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("s3", "us-east-1", endpoint_url=url, aws_access_key_id="made", aws_secret_access_key="up")
    client.create_bucket(Bucket="pictures")
    client.create_bucket(Bucket="versions")
    client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    yield client
    client.close()
    server.stop()


@pytest.fixture(scope="module")
def server(s3: Any) -> Iterator[Server]:
    """A local Rekognition server that reads from that S3."""
    with Server(ServerSettings(s3_endpoint_url=s3.meta.endpoint_url)) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_of_amazons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine knows of AWS stays out of the tests."""
    for name in [name for name in os.environ if name.startswith(("REKSTREAM_", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/none"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")


@pytest.fixture
def asked(server: Server, tmp_path: Path) -> Path:
    """The two portraits in a folder."""
    for name in (HOPPER, ASTRONAUT):
        (tmp_path / name).write_bytes(portrait_bytes(name))
    return tmp_path


def settings_for(server: Server, **others: Any) -> Settings:
    return load(endpoint_url=server.url, **others)


def study(server: Server, picture: Path, *changes: Change, repeat: int = 1) -> Study:
    with rekognition_for(settings_for(server)) as rekognition:
        return Survey(rekognition, frozenset(changes), repeat, lambda: None).study(read_picture(str(picture)))


def outcomes(found: Study, variant: str) -> dict[str, Outcome]:
    (row,) = (row for row in found.rows if row.variant.name == variant)
    return {reading.attribute: reading.outcome for reading in row.readings}


# --- what is changed ---


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ((3000, 2000), ["1920", "1280", "960", "640", "480", "320", "240", "160", "least"]),
        ((512, 512), ["480", "320", "240", "160", "least"]),
        ((480, 640), ["480", "320", "240", "160", "least"]),
        ((2000, 160), ["1920", "1280", "least"]),
        ((160, 80), []),
        ((320, 160), ["240", "160"]),
        ((80, 80), []),
    ],
)
def test_smaller_copies_go_down_to_the_least_that_rekognition_takes_and_none_is_larger(
    size: tuple[int, int], names: list[str]
) -> None:
    found = list(sizes(*size))
    assert [name for name, _, _ in found] == names
    assert all(min(width, height) >= 80 and max(width, height) < max(size) for _, width, height in found)
    assert all(abs(width / height - size[0] / size[1]) < 0.03 * size[0] / size[1] for _, width, height in found)
    if names:
        assert min(found[-1][1:]) == 80


def test_as_many_questions_are_asked_as_were_announced(asked: Path) -> None:
    picture = read_picture(str(asked / HOPPER))
    for changes in (frozenset({Change.COVER}), frozenset({Change.RESOLUTION, Change.BRIGHTNESS}), frozenset[Change]()):
        questions = [as_it_is(picture), *changed(picture, {"BoundingBox": BOX}, changes)]
        assert len(questions) == count(picture, changes)


def test_brightness_multiplies_each_value_and_clips(asked: Path) -> None:
    picture = read_picture(str(asked / ASTRONAUT))
    questions = list(changed(picture, {"BoundingBox": BOX}, frozenset({Change.BRIGHTNESS})))
    assert [question.variant.name for question in questions] == [f"{gain:.0%}" for gain in GAINS]
    pixels = picture.pixels().astype(float)
    for gain, question in zip(GAINS, questions, strict=True):
        got = cv2.imdecode(np.frombuffer(question.image["Bytes"], np.uint8), cv2.IMREAD_COLOR)
        assert np.abs(got - np.minimum(pixels * gain, 255)).mean() < 4


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
@pytest.mark.parametrize("turn", [0, 60])
def test_a_cover_lies_where_the_part_is_however_the_face_is_turned(name: str, turn: int) -> None:
    height, width = portrait(name).shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1)
    scene = cv2.warpAffine(portrait(name), matrix, (width, height))
    eyes, mouth = [matrix @ (*point, 1) for point in EYES[name]], matrix @ (*MOUTHS[name], 1)
    face = facing(eyes, mouth, (width, height))
    hidden = {part: np.all(cover(scene, face, part) == GREY, axis=2) for part in PARTS}

    def shows(part: str, point: np.ndarray) -> bool:
        return not hidden[part][round(point[1]), round(point[0])]

    assert not any(shows("eyes", eye) for eye in eyes)
    assert shows("eyes", mouth)
    assert shows("mouth", eyes[0])
    assert not shows("mouth", mouth)
    assert not shows("lower half", mouth)
    assert shows("lower half", eyes[1])
    assert [shows("left half", eye) for eye in eyes] == [False, True]
    assert [shows("right half", eye) for eye in eyes] == [True, False]
    assert all(0.002 < area.mean() < 0.5 for area in hidden.values())


def facing(eyes: list[np.ndarray], mouth: np.ndarray, size: tuple[int, int]) -> dict[str, Any]:
    """A FaceDetail of eyes and a mouth, whose corners lie below the eyes."""
    half = (eyes[1] - eyes[0]) * 0.4
    points = {"eyeLeft": eyes[0], "eyeRight": eyes[1], "mouthLeft": mouth - half, "mouthRight": mouth + half}
    return {
        "BoundingBox": BOX,
        "Landmarks": [{"Type": name, "X": x / size[0], "Y": y / size[1]} for name, (x, y) in points.items()],
    }


@pytest.mark.parametrize("landmarks", [[], [{"Type": name, "X": 0.4, "Y": 0.4} for name in ("eyeLeft", "eyeRight")]])
def test_without_landmarks_a_cover_is_placed_by_the_box(landmarks: list[dict[str, Any]]) -> None:
    name, size = HOPPER, portrait(HOPPER).shape[1::-1]
    box = {"Left": 185 / size[0], "Top": 120 / size[1], "Width": 165 / size[0], "Height": 215 / size[1]}
    covered = cover(portrait(name), {"BoundingBox": box, "Landmarks": landmarks}, "eyes")
    assert all((covered[y, x] == GREY).all() for x, y in EYES[name])
    assert (covered[MOUTHS[name][::-1]] != GREY).any()


def test_a_picture_that_grows_when_it_is_encoded_anew_still_fits_into_a_call() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (2500, 2500, 3)).astype(np.uint8)
    assert cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].size > 5_242_880
    assert len(as_jpeg(noise)) <= 5_242_880


# --- what survives ---


def turned(roll: float, yaw: float, pitch: float) -> dict[str, Any]:
    return {"Pose": {"Roll": roll, "Yaw": yaw, "Pitch": pitch}}


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ({"AgeRange": {"Low": 20, "High": 30}}, {"AgeRange": {"Low": 30, "High": 40}}, Outcome.SAME),
        ({"AgeRange": {"Low": 20, "High": 30}}, {"AgeRange": {"Low": 31, "High": 40}}, Outcome.OTHER),
        ({"AgeRange": {"Low": 20, "High": 30}}, {"AgeRange": {"Low": 10, "High": 19}}, Outcome.OTHER),
        ({"Smile": {"Value": True, "Confidence": 99.0}}, {"Smile": {"Value": True, "Confidence": 51.0}}, Outcome.SAME),
        ({"Smile": {"Value": True, "Confidence": 99.0}}, {"Smile": {"Value": False, "Confidence": 51.0}}, Outcome.OTHER),
        ({"Smile": {"Value": True, "Confidence": 99.0}}, {}, Outcome.GONE),
        ({"Gender": {"Value": "Male"}}, {"Gender": {"Value": "Female"}}, Outcome.OTHER),
        ({"Emotions": [{"Type": "SAD", "Confidence": 60.0}, {"Type": "CALM", "Confidence": 40.0}]},
         {"Emotions": [{"Type": "CALM", "Confidence": 51.0}, {"Type": "SAD", "Confidence": 49.0}]}, Outcome.OTHER),
        (turned(175.0, 0.0, 0.0), turned(-176.0, 9.0, 1.0), Outcome.SAME),
        (turned(0.0, 0.0, 0.0), turned(0.0, 10.5, 0.0), Outcome.OTHER),
        ({"Landmarks": [{"Type": "nose", "X": 0.1, "Y": 0.1}]}, {"Landmarks": []}, Outcome.GONE),
        ({"Beard": {"Value": False, "Confidence": 99.0}}, {"Beard": {"Value": True, "Confidence": 60.0}}, Outcome.OTHER),
    ],
)  # fmt: skip
def test_an_attribute_is_the_same_another_or_gone(before: dict[str, Any], after: dict[str, Any], outcome: Outcome) -> None:
    face, rest = compare(readings({"Confidence": 99.0, **before}), {"Confidence": 90.0, **after})
    assert (face.outcome, rest.outcome) == (Outcome.SAME, outcome)


def test_what_the_unchanged_picture_does_not_tell_is_not_looked_for() -> None:
    found = compare(readings({"Confidence": 99.0}), {"Confidence": 90.0, "Smile": {"Value": True, "Confidence": 99.0}})
    assert [reading.attribute for reading in found] == ["Face"]


def test_a_face_elsewhere_is_not_taken_for_the_one_that_was_lost() -> None:
    reference = {"BoundingBox": BOX}
    near = {"BoundingBox": {**BOX, "Left": 0.33}}
    far = {"BoundingBox": {**BOX, "Left": 0.7}}
    assert same_face([far, near], reference) is near
    assert same_face([far], reference) is None
    assert same_face([], reference) is None
    gone = compare(readings({"Confidence": 99.0, "AgeRange": {"Low": 1, "High": 2}}), None)
    assert [(one.attribute, one.outcome, in_short(one)) for one in gone] == [
        ("Face", Outcome.GONE, "-"),
        ("AgeRange", Outcome.GONE, "-"),
    ]


def test_an_answer_that_is_not_rekognitions_is_one_sentence() -> None:
    with pytest.raises(ProviderError, match="is this a Rekognition endpoint"):
        same_face([{"BoundingBox": {"Left": 1}}], {"BoundingBox": BOX})


# --- asked of a real server ---


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_the_unchanged_picture_survives_and_so_does_encoding_it_anew(server: Server, asked: Path, name: str) -> None:
    found = study(server, asked / name, Change.BRIGHTNESS, repeat=2)
    assert set(outcomes(found, "as is").values()) == {Outcome.SAME}
    assert set(outcomes(found, "100%").values()) == {Outcome.SAME}
    assert {"Face", "AgeRange", "Gender", "Smile", "EyesOpen", "MouthOpen", "Emotion", "Pose", "Landmarks"} == {
        *outcomes(found, "5%")
    }
    assert all(len(row.seconds) == 2 and min(row.seconds) <= row.p50 <= max(row.seconds) for row in found.rows)
    assert found.rows[0].variant.bytes_sent == len(portrait_bytes(name))
    assert found.is_whole


def test_a_covered_and_a_shrunken_face_are_the_same_face_with_some_answers_lost(server: Server, asked: Path) -> None:
    found = study(server, asked / HOPPER, Change.COVER, Change.RESOLUTION)
    assert all(outcomes(found, name)["Face"] is Outcome.SAME for name in ("forehead", "320"))
    lost = [one for row in found.rows for one in row.readings if one.outcome is not Outcome.SAME]
    assert lost, "a study in which nothing is ever lost measures nothing"


def test_a_picture_turned_by_its_exif_is_studied_as_people_see_it(server: Server, asked: Path) -> None:
    """The stored pixels lie on their side: covers and copies made of them would be of a face that lies, too."""
    lying = np.rot90(portrait(HOPPER), 1)  # counter-clockwise, so a turn clockwise (6) puts it up again
    (asked / "turned.jpg").write_bytes(with_orientation(jpeg(np.ascontiguousarray(lying)), 6))
    found = study(server, asked / "turned.jpg", Change.COVER, Change.RESOLUTION)
    assert (found.width, found.height) == portrait(HOPPER).shape[1::-1]
    for variant in ("480", "forehead"):
        assert {outcomes(found, variant)[name] for name in ("Face", "Pose", "Landmarks")} == {Outcome.SAME}


def test_a_call_that_fails_is_told_and_the_others_go_on(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second call is the unchanged picture's; from the third on, each eyes' cover is refused."""
    with Endpoint(lambda number: "server" if number == 3 else "ok") as endpoint:
        wishes = Wishes(only="cover", repeat=1)
        code = study_pictures([str(asked / HOPPER)], load(endpoint_url=endpoint.url), wishes)
        assert len(endpoint.calls) == 2 + len(PARTS)
    printed = capsys.readouterr().out
    assert code == 2
    assert re.search(r"^  eyes +\d+ +- +\? +\?", printed, re.MULTILINE)
    assert "cover eyes: 1 calls failed (InternalServerError)" in printed
    assert re.search(r"^  mouth +\d+ +\d+ +1 +100", printed, re.MULTILINE)


def test_when_nobody_answers_any_more_what_was_studied_before_is_shown(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls_of_one = 2 + len(PARTS)
    with Endpoint(lambda number: "ok" if number <= calls_of_one + 2 else "denied") as endpoint:
        names = [str(asked / ASTRONAUT), str(asked / HOPPER)]
        with pytest.raises(ProviderError, match=rf"{HOPPER} was not analysed \(AccessDenied.*check AWS_PROFILE"):
            study_pictures(names, load(endpoint_url=endpoint.url), Wishes(only="cover", repeat=1))
        assert len(endpoint.calls) == calls_of_one + 3
    printed = capsys.readouterr().out
    assert (ASTRONAUT in printed, HOPPER in printed) == (True, False)


def test_attributes_that_only_aws_tells_are_compared_too(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FACE, "Eyeglasses", {"Value": True, "Confidence": 97.0})
    monkeypatch.setitem(FACE, "EyeDirection", {"Yaw": 3.0, "Pitch": -4.0, "Confidence": 97.0})
    with Endpoint() as endpoint:
        wishes = Wishes(only="cover", repeat=1, as_json=True, csv=asked / "all.csv")
        assert study_pictures([str(asked / HOPPER)], load(endpoint_url=endpoint.url), wishes) == 0
    told = {line["attribute"]: line["unchanged_value"] for line in lines_of(asked / "all.csv")}
    assert told == {"Face": "found", "Smile": "yes", "Eyeglasses": "yes", "EyeDirection": "yaw 3, pitch -4"}


# --- shown and written ---


def lines_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(scope="module")
def studied(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Study]:
    folder = tmp_path_factory.mktemp("portraits")
    for name in (HOPPER, ASTRONAUT):
        (folder / name).write_bytes(portrait_bytes(name))
    return [study(server, folder / name, Change.RESOLUTION, Change.COVER) for name in (ASTRONAUT, HOPPER)]


def test_table_json_and_csv_tell_the_same(server: Server, asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(asked / name) for name in (HOPPER, ASTRONAUT)]
    file = asked / "all.csv"
    assert study_pictures(names, settings_for(server), Wishes("resolution", 1, as_json=True, csv=file)) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["picture"] for one in found["studies"]] == names
    in_json = [
        [one["picture"], row["variant"], str(row["bytes"]), name, told["outcome"]]
        for one in found["studies"]
        for row in one["rows"]
        for name, told in row["attributes"].items()
    ]
    assert [
        [line[name] for name in ("picture", "variant", "bytes", "attribute", "outcome")] for line in lines_of(file)
    ] == in_json
    assert study_pictures(names[:1], settings_for(server), Wishes("resolution", 1)) == 0
    table = capsys.readouterr().out
    wrong = sum(told["outcome"] == "other" for row in found["studies"][0]["rows"] for told in row["attributes"].values())
    assert table.count("≠") == wrong + 1  # and once in the legend


def test_why_bytes_were_not_compared_with_s3_is_said(server: Server, asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Endpoint() as endpoint:
        study_pictures([str(asked / HOPPER)], load(endpoint_url=endpoint.url), Wishes(repeat=1, plot=asked / "study.html"))
    for told in (capsys.readouterr().out, (asked / "study.html").read_text()):
        assert "bytes against S3 were not compared: no place in S3 was named" in told


def test_a_heat_map_shows_what_the_answers_were(studied: list[Study]) -> None:
    by_heading = {chart.heading: chart.figure for chart in charts(studied[:1])}
    (heat,) = by_heading["What survives: cover"].data
    assert list(heat.x) == list(PARTS)
    for variant, words, weights in zip(heat.x, zip(*heat.text, strict=True), zip(*heat.z, strict=True), strict=True):
        told = list(outcomes(studied[0], variant).values())
        assert list(words) == told
        assert list(weights) == [{"same": 1, "gone": 0, "other": -1}[word] for word in told]


def test_where_pictures_differ_a_heat_map_counts(studied: list[Study]) -> None:
    (heat,) = next(chart.figure for chart in charts(studied) if chart.heading == "What survives: resolution").data
    names = [Path(one.picture).name for one in studied]
    for x, variant in enumerate(heat.x):
        both = [outcomes(one, variant) for one in studied]
        for y, attribute in enumerate(outcomes(studied[0], "as is")):
            words = [one[attribute] for one in both]
            assert heat.text[y][x] == (words[0] if len(set(words)) == 1 else f"{words.count(Outcome.SAME)} of 2 same")
            assert [f"{name}: {word}" in heat.hovertext[y][x] for name, word in zip(names, words, strict=True)] == [True, True]


def test_confidence_is_that_of_answers_that_stayed_the_same(studied: list[Study]) -> None:
    figure = next(chart.figure for chart in charts(studied[:1]) if chart.heading.startswith("How sure"))
    attributes = {short: name for name, short in SHORT.items()}
    assert {line.name for line in figure.data} == {"face", "gender", "smile", "eyes", "mouth", "emotion"}
    for line in figure.data:
        for variant, value in zip(line.x, line.y, strict=True):
            assert (value is not None) == (outcomes(studied[0], variant)[attributes[line.name]] is Outcome.SAME)


def test_the_page_stands_alone_and_holds_nothing_of_the_picture(studied: list[Study]) -> None:
    html = page(studied, "local", ["a <note>"])
    assert "<script src" not in html
    assert "<link" not in html
    assert "default-src 'none'" in html
    assert "a &lt;note&gt;." in html
    assert html.count('"showSendToCloud": false') == html.count("Plotly.newPlot(") == len(charts(studied))
    own = re.sub(r"<script>/\*\*.*?</script>", "", html, count=1, flags=re.DOTALL)
    assert len(own) < 100_000
    for name in (HOPPER, ASTRONAUT):
        assert base64.b64encode(portrait_bytes(name)[300:600]).decode()[4:-4] not in html
    assert not re.search(r"data:image/(jpeg|png)", own)
    assert studied[0].picture not in html  # the file's name is shown, the folder is nobody's business


def test_plotly_is_loaded_for_the_page_only() -> None:
    code = "import sys, rekstream.cli, rekstream.study.command as _; sys.exit('plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_asked(asked: Path) -> None:
    for wishes in (Wishes(csv=asked / "none" / "x.csv"), Wishes(plot=asked)):
        with Endpoint() as endpoint, pytest.raises(SettingsError, match="cannot be written"):
            study_pictures([str(asked / HOPPER)], load(endpoint_url=endpoint.url), wishes)
        assert endpoint.calls == []


# --- S3 ---


def versions(s3: Any, bucket: str) -> list[Any]:
    found = s3.list_object_versions(Bucket=bucket)
    return [*found.get("Versions", []), *found.get("DeleteMarkers", [])]


@pytest.mark.parametrize("place", ["s3://pictures/some/where", "s3://versions"])
def test_an_object_in_s3_is_answered_as_its_bytes_are_and_is_gone_afterwards(
    server: Server, s3: Any, asked: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for(server, s3_endpoint_url=s3.meta.endpoint_url)
    assert study_pictures([str(asked / ASTRONAUT)], settings, Wishes("s3", 2, place, as_json=True)) == 0
    (found,) = json.loads(capsys.readouterr().out)["studies"]
    as_bytes, as_object = found["rows"]
    assert as_object["attributes"] == as_bytes["attributes"]
    assert (as_bytes["bytes"], as_object["bytes"], len(as_object["seconds"])) == (len(portrait_bytes(ASTRONAUT)), 0, 2)
    assert found["upload_seconds"] > 0
    assert versions(s3, place.removeprefix("s3://").split("/")[0]) == []


def fail(s3: Any, held: Held, data: bytes) -> None:
    (there,) = s3.list_objects_v2(Bucket="pictures")["Contents"]
    assert there["Key"] == held.place["Name"]
    assert re.fullmatch(r"some/where/rekstream-study-[0-9a-f]{32}\.jpg", there["Key"])
    assert s3.get_object(Bucket="pictures", Key=there["Key"])["Body"].read() == data
    raise ZeroDivisionError


def test_an_object_in_s3_lies_under_its_prefix_and_goes_even_after_an_error(s3: Any, asked: Path) -> None:
    storage = Storage("s3://pictures/some/where", load(s3_endpoint_url=s3.meta.endpoint_url))
    picture = read_picture(str(asked / HOPPER))
    with pytest.raises(ZeroDivisionError), storage.holding(picture) as held:
        fail(s3, held, picture.data)
    assert versions(s3, "pictures") == []


def test_a_study_that_is_ended_takes_its_picture_out_of_s3(s3: Any, asked: Path) -> None:
    """SIGTERM comes while the endpoint is silent and the object lies there."""
    with Endpoint(lambda number: "silent") as endpoint:
        process = started("--endpoint-url", endpoint.url, *in_s3(s3), picture=asked / HOPPER)
        wait_until(lambda: endpoint.calls, 20)
        assert len(versions(s3, "pictures")) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130
    assert versions(s3, "pictures") == []


def test_a_picture_that_cannot_be_deleted_is_named(s3: Any, asked: Path) -> None:
    s3.create_bucket(Bucket="lost")
    storage = Storage("s3://lost", load(s3_endpoint_url=s3.meta.endpoint_url))

    def lose(held: Held) -> None:
        s3.delete_object(Bucket="lost", Key=held.place["Name"])
        s3.delete_bucket(Bucket="lost")

    said = r"still lies at s3://lost/rekstream-study-\w+.jpg.*NoSuchBucket.*delete it there"
    with pytest.raises(ProviderError, match=said), storage.holding(read_picture(str(asked / HOPPER))) as held:
        lose(held)


@pytest.mark.parametrize(
    ("place", "given", "words"),
    [
        ("s3://", {"s3_endpoint_url": "http://127.0.0.1:9"}, "names no place in S3"),
        ("pictures/x", {"s3_endpoint_url": "http://127.0.0.1:9"}, "names no place in S3"),
        ("s3://pictures", {}, "lies in AWS's own S3, where the picture would go"),
        ("s3://pictures", {"s3_endpoint_url": "https://s3.us-east-1.amazonaws.com"}, "say --aws if that is meant"),
        ("s3://pictures", {"provider": "aws", "s3_endpoint_url": "http://127.0.0.1:9"}, "AWS's Rekognition cannot read from"),
        ("s3://pictures", {"provider": "aws", "endpoint_url": "http://127.0.0.1:9"}, "lies in AWS's own S3"),
        ("s3://pictures", {"s3_endpoint_url": "nowhere"}, "S3 cannot be asked"),
    ],
)
def test_a_picture_goes_to_s3_only_where_that_was_meant(place: str, given: dict[str, str], words: str, asked: Path) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)):
        study_pictures([str(asked / HOPPER)], load(**given), Wishes(s3=place))


# --- the command line ---


def in_s3(s3: Any) -> tuple[str, ...]:
    return "--s3", "s3://pictures", "--s3-endpoint-url", s3.meta.endpoint_url


def started(*options: str, picture: Path, **how: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rekstream", "study", str(picture), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, **{"stderr": subprocess.DEVNULL, **how})


def test_a_study_on_this_machine_alone_shows_a_table_and_writes_a_page(asked: Path) -> None:
    code, printed, error = run("study", HOPPER, ASTRONAUT, "--only", "cover", "--repeat", "1", "--plot", "x.html", cwd=asked)
    assert (code, error) == (0, "")
    assert printed.count("lower half") == 2
    assert "answered by local" in printed
    html = (asked / "x.html").read_text()
    assert html.count("Plotly.newPlot(") == 3
    assert sorted(path.name for path in asked.iterdir()) == sorted([HOPPER, ASTRONAUT, "x.html"])


def test_what_cannot_be_studied_is_named_and_the_others_are_studied(asked: Path) -> None:
    (asked / "small.jpg").write_bytes(jpeg(background(79, 200)))
    (asked / "empty.jpg").write_bytes(jpeg(background(300, 200)))
    (asked / "moving.gif").write_bytes(b"GIF89a" + bytes(500))
    names = ["none.jpg", "s3://far/away.jpg", "small.jpg", "moving.gif", "empty.jpg", HOPPER]
    code, printed, error = run("study", *names, "--only", "cover", "--repeat", "1", cwd=asked)
    assert code == 2
    assert [line.split(" ")[1] for line in error.splitlines()] == names[:-1]
    for words in (
        "none.jpg cannot be read",
        "fetch it first",
        "79 x 200 pixels",
        "neither JPEG nor PNG",
        "empty.jpg shows no face",
    ):
        assert words in error
    assert printed.startswith(HOPPER)


@pytest.mark.parametrize(
    ("given", "wishes", "words"),
    [
        ({}, Wishes("colour"), "--only 'colour' names no change of a picture: choose among resolution, brightness, cover, s3"),
        ({}, Wishes(", "), "--only ', ' names no change"),
        ({}, Wishes("s3"), "say --s3 s3://bucket/prefix"),
        ({"endpoint_url": "nowhere"}, Wishes(), "Rekognition cannot be called"),
        ({"endpoint_url": "https://rekognition.us-east-1.amazonaws.com"}, Wishes(), "costs money: say --aws"),
    ],
)
def test_what_cannot_be_done_is_refused(given: dict[str, str], wishes: Wishes, words: str, asked: Path) -> None:
    with pytest.raises(RekstreamError, match=re.escape(words)):
        study_pictures([str(asked / HOPPER)], load(**given), wishes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "colour"], "names no change of a picture"),
        (["--endpoint-url", "http://127.0.0.1:9"], "check that a server listens there, and the network"),
        (["--aws"], "there are no AWS credentials"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(options: list[str], words: str, asked: Path) -> None:
    code, printed, error = run("study", HOPPER, *options, cwd=asked)
    assert (code, printed, error.count("\n")) == (2, "", 1)
    assert error.startswith("error: ")
    assert words in error


def test_a_bucket_that_refuses_is_one_sentence(server: Server, s3: Any, asked: Path) -> None:
    options = ["--endpoint-url", server.url, "--s3", "s3://nobodys/x", "--s3-endpoint-url", s3.meta.endpoint_url]
    code, printed, error = run("study", HOPPER, *options, cwd=asked)
    assert (code, printed, error.count("\n")) == (2, "", 1)
    assert "cannot be put into s3://nobodys (NoSuchBucket" in error


# --- AWS, as stand-ins play it: nothing here was ever sent to AWS itself ---


def in_aws(s3: Any, rekognition: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_STS": s3.meta.endpoint_url,
        "AWS_ENDPOINT_URL_S3": s3.meta.endpoint_url,
        "AWS_ENDPOINT_URL_REKOGNITION": rekognition,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def test_aws_is_asked_only_after_price_and_consent(s3: Any, asked: Path) -> None:
    with Endpoint() as endpoint:
        told = in_aws(s3, endpoint.url)
        code, printed, error = run("study", HOPPER, "--aws", "--only", "cover", env=told, cwd=asked)
        assert (code, printed, endpoint.calls) == (2, "", [])
        assert "AWS account 123456789012, us-east-1: at most 25 calls = 0.025 dollars at most" in error
        assert f"{HOPPER} will be sent to AWS" in error
        assert "say --yes" in error
        code, printed, error = run(
            "study", HOPPER, "--aws", "--yes", "--s3", "s3://pictures", "--repeat", "1", env=told, cwd=asked
        )
        assert code == 0
        announced = re.search(r"at most (\d+) calls", error)
        assert announced
        assert len(endpoint.calls) == int(announced[1])
        assert endpoint.bodies[-1]["Image"]["S3Object"]["Bucket"] == "pictures"
    assert "and lie in s3://pictures meanwhile" in error
    assert "answered by aws us-east-1" in printed
    assert versions(s3, "pictures") == []


@pytest.mark.parametrize(("answer", "code", "sent"), [(b"n\n", 130, False), (b"y\n", 0, True)])
def test_who_is_asked_may_say_no(s3: Any, asked: Path, answer: bytes, code: int, sent: bool) -> None:
    ours, theirs = pty.openpty()
    with Endpoint() as endpoint:
        environ = {**os.environ, **in_aws(s3, endpoint.url)}
        options = ("--aws", "--only", "cover", "--repeat", "1")
        process = started(*options, picture=asked / HOPPER, stdin=theirs, env=environ)
        os.write(ours, answer)
        assert process.wait(30) == code
        assert bool(endpoint.calls) == sent
    os.close(ours)
    os.close(theirs)
