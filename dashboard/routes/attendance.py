"""Who came and went when: as JSON for the page, as CSV for a spreadsheet, and corrected by people."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import JSONResponse, Response

from dashboard import attendance_sheet
from dashboard.parts import Parts
from dashboard.views import note_view

MOST_DAYS = 31

_CORRECTION = {"arrival": "08:30", "leaving": None, "excused": None}
CorrectionBody = Annotated[dict[str, Any], Body(examples=[_CORRECTION])]
_CSV = "text/csv"


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of attendance."""

    @router.get("/api/attendance", responses={200: {"content": {_CSV: {"schema": {"type": "string"}}}}})
    async def list_attendance(
        request: Request,
        day: str | None = None,
        days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 1,
        camera: str | None = None,
        person: str | None = None,
        format: Annotated[str, Query(pattern="^(json|csv)?$")] = "",  # noqa: A002  # the parameter's name
    ) -> Response:
        """Tell when each person was seen first and last, today or on the `days` that end with `day`."""
        members = {"day": day, "days": days, "camera": camera, "person": person}
        found = await parts.history.ask(request, "history.attendance", members)
        await note_view(parts.people, request, "attendance", found["Person"])
        if format == "csv" or (not format and _CSV in request.headers.get("Accept", "")):
            headers = {"Content-Disposition": f'attachment; filename="attendance-{found["day"]}.csv"'}
            return Response(attendance_sheet.csv_of(found), media_type=_CSV, headers=headers)
        return JSONResponse(found)

    @router.patch("/api/attendance/{person}/{day}")
    async def correct_attendance(request: Request, person: str, day: str, body: CorrectionBody) -> JSONResponse:
        """Correct when somebody came or went on a day, or excuse them; null takes that back."""
        members = {"person": person, "day": day, "changes": body}
        return JSONResponse(await parts.history.ask(request, "history.correct", members))
