"""plotly.js comes out of the Python package, once, and is kept by browsers."""

from __future__ import annotations

import gzip
from importlib import metadata
from pathlib import Path

import pytest

from dashboard import plotly_file
from tests.dashboard.support import Api


def test_the_page_gets_plotly_compressed_and_keeps_it_by_its_version(api: Api) -> None:
    """The address holds the version; another version's address is not kept."""
    address = api.get("/api/charts")["plotly"]
    assert address == f"/static/vendor/plotly.min.js?v={metadata.version('plotly')}"
    answer = api.http.get(address)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"plotly.js" in answer.content[:200]
    assert int(answer.headers["Content-Length"]) < 2_000_000
    assert api.http.get("/static/vendor/plotly.min.js?v=0").headers["Cache-Control"] == "no-cache"


def test_who_takes_no_gzip_gets_it_plain(api: Api) -> None:
    answer = api.http.get("/static/vendor/plotly.min.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert b"plotly.js" in answer.content[:200]
    path = plotly_file.file()
    assert path is not None
    assert gzip.decompress(plotly_file.zipped(path)) == answer.content


def test_a_package_without_it_is_said(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda path: False)
    assert api.get("/api/charts")["plotly"] is None
    answer = api.http.get("/static/vendor/plotly.min.js")
    assert answer.status_code == 404
    assert "the Python package plotly brings no plotly.min.js" in answer.json()["error"]["message"]
