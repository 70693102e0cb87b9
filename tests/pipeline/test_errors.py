"""No text that people see holds a password."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RekstreamError, redact

SAFE = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://admin:secret@10.0.0.7/main", "rtsp://admin:***@10.0.0.7/main"),
        ("rtsp://admin:a/b#c@10.0.0.7/main", "rtsp://admin:***@10.0.0.7/main"),
        ("rtsp://admin:a@b@10.0.0.7/main", "rtsp://admin:***@10.0.0.7/main"),
        ("redis://:secret@10.0.0.2:6379/0", "redis://:***@10.0.0.2:6379/0"),
        ("http://cam/video?user=x&password=secret&fps=5", "http://cam/video?user=x&password=***&fps=5"),
        ("http://10.0.0.7:8080/x", "http://10.0.0.7:8080/x"),
        ("two: rtsp://a:b@h/x and rtsp://c:d@i/y", "two: rtsp://a:***@h/x and rtsp://c:***@i/y"),
        ("rtsp://admin:it's@10.0.0.7/main", "rtsp://admin:***@10.0.0.7/main"),
        ("rtsp://h:554/user=admin&password=s3cret&channel=1", "rtsp://h:554/user=admin&password=***&channel=1"),
        ("rtsp://h/user=admin_password=s3cret_channel=1", "rtsp://h/user=admin_password=***"),
        ("http://h/videostream.cgi?loginuse=x&loginpas=s3cret", "http://h/videostream.cgi?loginuse=x&loginpas=***"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_passwords_are_masked_and_the_rest_stays(text: str, shown: str) -> None:
    assert redact(text) == shown


@given(
    st.text(SAFE, min_size=1, max_size=8),
    st.text(SAFE + "!$&'\"<>()*+,;=@:/?#[]%^|~.-_", min_size=6, max_size=20).filter(lambda secret: "***" not in secret),
)
def test_no_password_survives_however_it_is_written(user: str, password: str) -> None:
    shown = str(RekstreamError(f"cannot open rtsp://{user}:{password}@camera.local:554/main now"))
    assert f":{password}@" not in shown
    assert shown.endswith("camera.local:554/main now")
