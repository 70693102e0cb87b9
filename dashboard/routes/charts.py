"""Charts: what there is, and the points of one."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse

from dashboard.aside import Aside
from dashboard.parts import Parts

AT_ONCE, MOST_WAITING = 4, 60  # a Prometheus that hangs holds each of them for ten seconds


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of charts."""
    aside = Aside(AT_ONCE, MOST_WAITING, "too many charts are asked for at once: is Prometheus slow? Try again in some seconds")

    @router.get("/api/charts")
    def list_charts() -> JSONResponse:
        """List the charts, their queries as PromQL, and who answers them."""
        return JSONResponse(parts.charts.definitions())

    @router.get("/api/charts/{chart_id}")
    async def plot_chart(
        chart_id: str,
        range: str = "15m",  # noqa: A002  # the parameter's name in the API
        step: str | None = None,
        camera: str | None = None,
    ) -> JSONResponse:
        """Return a chart's lines over the last `range`, a point each `step`, of all cameras or of one."""
        return JSONResponse(await aside.run(parts.charts.plot, chart_id, range, step, camera))
