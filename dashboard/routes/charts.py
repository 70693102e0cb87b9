"""Charts: what there is, and the points of one."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse

from dashboard.parts import Parts


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of charts."""

    @router.get("/api/charts")
    def list_charts() -> JSONResponse:
        """List the charts, their queries as PromQL, and who answers them."""
        return JSONResponse(parts.charts.definitions())

    @router.get("/api/charts/{chart_id}")
    def plot_chart(chart_id: str, range: str = "15m", step: str | None = None, camera: str | None = None) -> JSONResponse:  # noqa: A002  # the parameter's name in the API
        """Return a chart's lines over the last `range`, a point each `step`, of all cameras or of one."""
        return JSONResponse(parts.charts.plot(chart_id, range, step, camera))
