"""The page: one shell at each address, which the browser fills."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from dashboard import pages
from dashboard.parts import Parts


def add(router: APIRouter, parts: Parts) -> None:  # noqa: ARG001  # as every room of routes is called
    """Add the routes of the page."""
    shell = pages.shell()

    def page() -> HTMLResponse:
        """Return the shell."""
        return HTMLResponse(shell, headers={"Cache-Control": "no-cache"})

    for path in pages.PATHS:
        router.add_api_route(path, page, include_in_schema=False, response_class=HTMLResponse)
