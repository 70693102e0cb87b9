"""Notices: what happened lately."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse

from dashboard.notices import MOST_NOTICES
from dashboard.parts import Parts


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of notices."""

    @router.get("/api/notices")
    def list_notices(
        after: Annotated[int, Query(ge=0, le=2**53)] = 0, limit: Annotated[int, Query(ge=1, le=MOST_NOTICES)] = MOST_NOTICES
    ) -> JSONResponse:
        """List what happened, oldest first: all of the last 500, or those that came after an id."""
        notices, following = parts.notices.after(after, limit)
        return JSONResponse({"notices": [notice.as_json() for notice in notices], "next": following})
