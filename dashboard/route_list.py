"""A page that lists the routes, made on this machine: no script, no style, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>rekstream: routes</title></head>
<body>
<h1>rekstream {version}</h1>
<p>The routes of the HTTP API; <a href="/openapi.json">/openapi.json</a> describes them for programs.</p>
<table>
<thead><tr><th>Method</th><th>Route</th><th>What it does</th><th>Parameters</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def page(schema: dict[str, Any]) -> str:
    """Return the HTML page for an OpenAPI schema."""
    rows = "\n".join(_row(method, path, operation) for path, method, operation in operations(schema))
    return _PAGE.format(version=escape(str(schema.get("info", {}).get("version", ""))), rows=rows)


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation of all routes in a schema."""
    for path, methods in schema.get("paths", {}).items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = ", ".join(parameter["name"] for parameter in operation.get("parameters", ()))
    cells = (method, path, operation.get("description", ""), parameters)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
