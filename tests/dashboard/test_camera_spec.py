"""Cameras as people write them: whatever is written, the answer is a camera that makes sense or one sentence."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.camera_spec import (
    CameraDefaults,
    camera_of,
    check_url,
    is_file,
    new_id,
    with_known_secrets,
)
from pipeline.entities import Policy
from pipeline.errors import SettingsError, redact

DEFAULTS = CameraDefaults(2.0, ("SMILE",))
ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
urls = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"(rtsp|rtsps|http|https|file|ftp)://[ -~]{0,60}", fullmatch=True),
    st.sampled_from(["demo", "webcam", "0", "/dev/video1", "rtsp://photo-1/", "rtsp://[::1]:554/ä"]),
)


@given(urls, st.sets(st.text(max_size=45), max_size=5))
def test_a_new_id_is_one(url: str, taken: set[str]) -> None:
    """A new id is a legal id that is not taken, whatever the URL."""
    fresh = new_id(url, taken)
    assert ID.fullmatch(fresh)
    assert fresh not in taken
    again = new_id(url, {*taken, fresh})
    assert ID.fullmatch(again)
    assert again != fresh


@given(anything, anything, anything, anything, urls | anything, st.none() | st.text(max_size=45))
def test_a_camera_or_one_sentence(
    fps: object, attributes: object, policy: object, paused: object, url: object, name: str
) -> None:
    """No value whatever makes anything but a camera within its bounds, or a SettingsError."""
    values = {"url": url, "fps": fps, "attributes": attributes, "policy": policy, "paused": paused}
    with suppress(SettingsError):
        made = camera_of(name, values, DEFAULTS)
        assert ID.fullmatch(made.id)
        assert 0.01 <= made.fps <= 60
        assert made.attributes
        assert made.paused in (True, False)


word = st.text("abcXYZ019._~!$&'()*+,;=", min_size=1, max_size=12)
any_password = st.text("abc019@:/?#%&=[] ", min_size=4, max_size=12).map(lambda text: f"PW{text}WP")


def answer_to(url: str) -> str:
    """Return what people see of a URL: redacted, or the sentence of its refusal."""
    try:
        return redact(check_url(url))
    except SettingsError as error:
        return str(error)


@given(word, any_password, st.sampled_from(["rtsp", "rtsps", "http", "ftp"]))
def test_an_unencoded_password_is_never_shown(user: str, password: str, scheme: str) -> None:
    """A password with any characters either is part of a URL that `redact` hides, or is refused without being shown."""
    url = f"{scheme}://{user}:{password}@10.0.0.7:554/main"
    shown = answer_to(url)
    assert "PW" not in shown
    assert "WP" not in shown


@given(word, st.text("abc%41", min_size=1, max_size=8), st.sampled_from(["", "/main", "/a/b?channel=1", "/x?token=abc&n=2"]))
def test_the_redacted_url_stands_for_the_whole_one(user: str, password: str, rest: str) -> None:
    """What the API shows can be sent back, and means what it meant."""
    url = f"rtsp://{user}:{password}@10.0.0.7:554{rest}"
    assert with_known_secrets(redact(url), url) == url
    assert with_known_secrets("rtsp://other/x", url) == "rtsp://other/x"


def test_defaults_and_policies(tmp_path: Path) -> None:
    """Files and folders are analysed frame by frame, live sources by their newest frame; what is not said is the default."""
    (tmp_path / "My Clip.MP4").write_bytes(b"")
    clip = camera_of(None, {"url": str(tmp_path / "My Clip.MP4")}, DEFAULTS)
    assert (clip.id, clip.policy, clip.fps, clip.attributes) == ("my-clip", Policy.EVERY, 2.0, ("SMILE",))
    assert camera_of("x", {"url": str(tmp_path)}, DEFAULTS).policy is Policy.EVERY
    assert camera_of("x", {"url": "file:///elsewhere/clip.mp4"}, DEFAULTS).policy is Policy.EVERY
    for live in ("rtsp://10.0.0.7/x", "https://10.0.0.7/x.m3u8", "demo", 0, "webcam", "/dev/video0"):
        assert camera_of("x", {"url": live}, DEFAULTS).policy is Policy.LATEST
    assert camera_of("x", {"url": "demo", "policy": "every", "fps": "0.5"}, DEFAULTS).policy is Policy.EVERY


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://u:p@10.0.0.7/stream1?x=1", "10-0-0-7-stream1"),
        ("http://cam.example:8081/mjpg/video.cgi", "cam-example-8081-mjpg-video-cgi"),
        ("demo", "demo"),
        ("0", "webcam-0"),
        ("webcam", "webcam-0"),
        ("/dev/video3", "webcam-3"),
        ("~/films/Front Door.mkv", "front-door"),
        ("file:///films/Ein%20Film.mp4", "ein-film"),
        ("rtsp://photo-1/", "camera-photo-1"),
        ("///", "camera"),
    ],
)
def test_ids_are_made_of_host_and_path(url: str, expected: str) -> None:
    """The id tells which camera it is, and holds neither user nor password nor query."""
    assert new_id(url, ()) == expected
    assert new_id(url, {expected}) == f"{expected}-2"


def test_a_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path means the same in every process, wherever it was started."""
    (tmp_path / "clip.mp4").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert check_url("clip.mp4") == str(tmp_path / "clip.mp4")
    assert is_file("clip.mp4")
    with pytest.raises(SettingsError, match="no file or folder"):
        check_url("clop.mp4")


def test_the_sentence_names_camera_and_value() -> None:
    """An error of a named camera names it."""
    with pytest.raises(SettingsError, match=r"^camera 'door': fps 1000: frames a second must lie between 0\.01 and 60$"):
        camera_of("door", {"url": "demo", "fps": 1000}, DEFAULTS)
