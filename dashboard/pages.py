"""The page's files: one shell for every page, modules and styles beside it, all from this package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PATHS = ("/", "/camera", "/photo", "/people", "/history", "/audience", "/attendance", "/latency", "/money")
FOLDER = files("dashboard") / "static"


class PageFiles(StaticFiles):
    """Serves modules, styles and pictures of the page; browsers keep them, and ask each time whether they changed."""

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__(directory=str(folder or FOLDER))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or 304."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def shell() -> str:
    """Return the HTML that every page begins with."""
    return (FOLDER / "index.html").read_text()


def login() -> str:
    """Return the HTML of the one page that strangers see."""
    return (FOLDER / "login.html").read_text()
