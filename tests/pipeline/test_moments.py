"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.errors import SettingsError
from pipeline.moments import moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("now", 1_000_000.0),
        ("24h", 913_600.0),
        (" 7D ", 395_200.0),
        ("1.5m", 999_910.0),
        ("1795000000.5", 1_795_000_000.5),
        ("2026-11-23T08:00:00+00:00", datetime(2026, 11, 23, 8, tzinfo=UTC).timestamp()),
        ("2026-11-23", datetime(2026, 11, 23).timestamp()),  # noqa: DTZ001  # a local day
    ],
)
def test_a_moment_is_read_as_it_was_meant(text: str, seconds: float) -> None:
    assert moment(text, 1_000_000.0) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "x" * 500, "nan", "-5", "1e300", "99999999w", "2026-13-01", "9" * 400])
def test_what_is_no_moment_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match="is no moment: write 24h or 7d") as refused:
        moment(text, 1_000_000.0)
    assert len(str(refused.value)) < 200
