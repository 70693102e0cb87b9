"""What the page needs of others: plotly.js, for the charts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import FileResponse, Response

from dashboard import plotly_file
from dashboard.answers import RefusedError
from dashboard.parts import Parts

A_YEAR = "public, max-age=31536000, immutable"


def add(router: APIRouter, parts: Parts) -> None:  # noqa: ARG001  # as every room of routes is called
    """Add the routes of what others made."""

    @router.get(plotly_file.PATH, include_in_schema=False, response_class=Response)
    def plotly(v: str | None = None, accept_encoding: Annotated[str, Header()] = "") -> Response:
        """Return plotly.js; under the version that it has, browsers keep it for a year."""
        path = plotly_file.file()
        if path is None:
            raise RefusedError(404, "NotFound", "the Python package plotly brings no plotly.min.js: install plotly 6 or later")
        is_lasting = v is not None and v == plotly_file.version()
        headers = {"Cache-Control": A_YEAR if is_lasting else "no-cache", "Vary": "Accept-Encoding"}
        if "gzip" not in accept_encoding:
            return FileResponse(path, media_type="text/javascript", headers=headers)
        return Response(plotly_file.zipped(path), media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})
