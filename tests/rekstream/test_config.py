"""rekstream.yml: what it can say, and that whatever is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cameras import camera_as_json
from pipeline.entities import CameraState, CameraStatus
from pipeline.errors import RekstreamError, SettingsError
from pipeline.export import export
from rekstream.config import read

GOOD = """\
provider: local
fps: 4
budget: 10/day
attributes: [smile, emotions]
cameras:
  front_door: {url: "rtsp://${CAM_USER}:${CAM_PASSWORD}@10.0.0.7/main", fps: 2}
  back: demo
  webcam: 0
"""
ENVIRON = {"CAM_USER": "admin", "CAM_PASSWORD": "p@ss/w:rd"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rekstream.yml"


def test_settings_and_cameras_are_read(path: Path) -> None:
    path.write_text(GOOD)
    config = read(path, ENVIRON)
    assert config.settings == {"provider": "local", "fps": 4, "budget": "10/day", "attributes": "smile,emotions"}
    assert [(camera.id, camera.fps) for camera in config.cameras] == [("front_door", 2), ("back", 4), ("webcam", 4)]
    assert config.cameras[1].attributes == ("SMILE", "EMOTIONS")


def test_a_password_from_the_environment_is_encoded_where_it_stands_in_a_url(path: Path) -> None:
    path.write_text(GOOD)
    assert read(path, ENVIRON).cameras[0].url == "rtsp://admin:p%40ss%2Fw%3Ard@10.0.0.7/main"


def test_a_whole_url_may_come_from_the_environment(path: Path) -> None:
    path.write_text("cameras: {door: '${URL}'}")
    assert read(path, {"URL": "rtsp://a:b@10.0.0.7/main"}).cameras[0].url == "rtsp://a:b@10.0.0.7/main"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("fps: 4", "fsp: 4", 2, "there is no setting 'fsp': did you mean fps?"),
        ("fps: 4", "fps: fast", 2, "fps 'fast'"),
        ("fps: 4", "fps: 1000", 2, "between 0.01 and 60"),
        ("local", "azure", 1, "provider 'azure'"),
        ("10/day", "lots", 3, "budget 'lots'"),
        ("smile", "smirk", 4, "there is no attribute 'smirk'"),
        ("back:", "front_door:", 7, "stands here a second time, first on line 6"),
        ("back: demo", "back: gopher://x", 7, "gopher://"),
        ("back: demo", "back: {fps: 1}", 7, "has no url"),
        ("back: demo", "back: {url: demo, colour: red}", 7, "there is no setting 'colour'"),
        ("back: demo", "Back Door!: demo", 7, "Back Door!"),
        ("CAM_USER", "NOBODY", 6, "${NOBODY} is not set in the environment"),
        ("back: demo", "back: [", 9, "is not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(path: Path, old: str, new: str, line: int, words: str) -> None:
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(SettingsError) as error:
        read(path, ENVIRON)
    assert f"{path} line {line}" in str(error.value)
    assert words in str(error.value)
    assert "p@ss" not in str(error.value)


def test_flags_go_before_the_files_settings_where_a_camera_says_nothing(path: Path) -> None:
    """`up --aws` samples once a second, whatever the default was when the file was written."""
    path.write_text("cameras:\n  one: demo\n  two: {url: demo, fps: 7}\n")
    assert [camera.fps for camera in read(path, {}).cameras] == [5, 7]
    assert [camera.fps for camera in read(path, {}, {"provider": "aws"}).cameras] == [1, 7]
    changed = read(path, {}, {"fps": 2.0, "attributes": "smile"}).cameras
    assert [(camera.fps, camera.attributes) for camera in changed] == [(2, ("SMILE",)), (7, ("SMILE",))]


def test_an_empty_file_says_nothing(path: Path) -> None:
    path.write_text("")
    assert read(path, {}).cameras == ()


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / "rekstream-fuzz.yml"
    path.write_text(text.replace("\r", ""), errors="ignore")
    said = ""
    try:
        read(path, {})
    except RekstreamError as error:
        said = str(error)
    finally:
        path.unlink()
    assert "\n" not in said


def test_an_export_is_a_config_again_without_the_password(path: Path) -> None:
    cameras = [
        {"id": "front-door", "url": "rtsp://admin:***@10.0.0.7/main", "fps": 2.0, "attributes": ["ALL"], "paused": False},
        {"id": "demo", "url": "demo", "fps": 5.0, "attributes": ["SMILE"], "paused": True},
        {"id": "10-0-0-7", "url": "rtsp://u:***@10.0.0.7/a?token=***", "fps": 5.0, "attributes": ["ALL"], "policy": "every"},
    ]
    text = export(cameras)
    assert yaml.safe_load(text)["cameras"]["front-door"]["url"] == "rtsp://admin:${FRONT_DOOR_PASSWORD}@10.0.0.7/main"
    path.write_text(text)
    again = read(path, {"FRONT_DOOR_PASSWORD": "x", "CAMERA_10_0_0_7_PASSWORD": "y", "CAMERA_10_0_0_7_PASSWORD_2": "z"}).cameras
    assert [(camera.id, camera.paused) for camera in again] == [("front-door", False), ("demo", True), ("10-0-0-7", False)]
    assert (again[2].url, again[2].policy) == ("rtsp://u:y@10.0.0.7/a?token=z", "every")


def test_rules_come_back_from_an_export_as_they_were(path: Path) -> None:
    """What a camera does not say is not written, whatever the defaults are when it is read again."""
    rules = """\
cameras:
  door:
    url: demo
    gate: face
    labels: every 10s
    purpose: access
    zones: [[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]]
    masks: [[[0.1, 0.1], [0.3, 0.1], [0.2, 0.4]]]
    smallest_face: 40
    schedule: mon-fri 08:00-18:00, sat 10:00-14:00
  yard: {url: demo, gate: off}
"""
    path.write_text(rules)
    cameras = read(path, {}, {"provider": "aws"}).cameras
    assert (cameras[0].labels, cameras[0].smallest_face, len(cameras[0].zones)) == (10.0, 40, 1)
    assert [str(camera.gate) for camera in cameras] == ["face", "off"]
    shown = [camera_as_json(camera, CameraStatus(camera.id, CameraState.LIVE)) for camera in cameras]
    path.write_text(export(shown))
    assert "smallest_face" not in export(shown[1:])
    assert read(path, {}, {"provider": "aws"}).cameras == cameras


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("gate: dor", "gate 'dor' is not known: choose off, motion, face"),
        ("labels: often", "labels 'often': write how often"),
        ("masks: [[[0, 0], [2, 0], [1, 1]]]", "masks 1: the corner 2, 0 lies outside of the picture"),
        ("schedule: weekdays", "schedule 'weekdays' is not understood"),
        ("smalest_face: 40", "did you mean smallest_face?"),
    ],
)
def test_a_rule_that_is_wrong_is_said_with_its_line(path: Path, rule: str, words: str) -> None:
    path.write_text(f"cameras:\n  yard: demo\n  door: {{url: demo, {rule}}}\n")
    with pytest.raises(SettingsError) as error:
        read(path, {})
    assert f"{path} line 3" in str(error.value)
    assert words in str(error.value)


def test_watches_are_read_with_their_secrets_and_shown_without(path: Path) -> None:
    path.write_text(
        "watches:\n  - {who: unknown, cameras: [door], notify: 'https://h/hook?token=${TOKEN}', cooldown: 5}\n"
        "  - who: Grace Hopper\n    notify: ['mailto://${MAIL}@example.com']\n"
    )
    config = read(path, {"TOKEN": "s3cret", "MAIL": "me:s3cret"})
    assert config.watches[0] == {"who": "unknown", "cameras": ["door"], "notify": "https://h/hook?token=s3cret", "cooldown": 5}
    assert "s3cret" not in repr(config)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("watches: {who: unknown}", "line 1: watches are a list"),
        (
            "fps: 4\nwatches:\n  - {who: unknown}\n  - {who: unknown, notify: 'https://h/'}",
            "line 3: a watch needs at least one notify URL",
        ),
        ("watches: [{who: unknown, notify: 'slak://s3cret'}]", "line 1: notify 'slak://***' is of no known kind"),
        ("watches: [{who: 2026-11-23, notify: 'https://h/'}]", "line 1: a watch needs to know whom it is about"),
        ("watches: [{who: unknown, notify: 'https://h/', cameras: [1]}]", "line 1: cameras of a watch are a list of ids"),
        ("watches: [{who: unknown, notify: 'https://h/', when: now}]", "line 1: a watch has no 'when'"),
    ],
)
def test_a_watch_that_cannot_be_is_refused_with_its_line(path: Path, text: str, sentence: str) -> None:
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        read(path, {})
    assert sentence in str(refused.value)
    assert "s3cret" not in str(refused.value)
