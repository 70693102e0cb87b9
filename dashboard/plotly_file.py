"""plotly.js for the charts, out of the Python package plotly: nothing comes from elsewhere, and no copy lies in this one."""

from __future__ import annotations

import gzip
from functools import cache
from importlib import metadata, util
from pathlib import Path

PATH = "/static/vendor/plotly.min.js"


def address() -> str | None:
    """Return where the page finds plotly.js, with its version, so that browsers may keep it; None where there is none."""
    return f"{PATH}?v={version()}" if file() else None


def version() -> str:
    """Return the version of the package, '' where it is not installed."""
    try:
        return metadata.version("plotly")
    except metadata.PackageNotFoundError:
        return ""


def file() -> Path | None:
    """Return plotly.js as the package has it (about 5 MB), None where it does not."""
    found = util.find_spec("plotly")
    path = Path(str(found.origin)).parent / "package_data" / "plotly.min.js" if found else None
    return path if path and path.is_file() else None


@cache
def zipped(path: Path) -> bytes:
    """Return the file compressed, about 1.5 MB; that takes a fifth of a second, once."""
    return gzip.compress(path.read_bytes(), mtime=0)
