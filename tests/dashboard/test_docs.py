"""docs/api.md and the API tell the same."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.routing import WebSocketRoute

from dashboard.parts import Parts
from dashboard.route_list import operations
from dashboard.routes import routes
from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from tests.dashboard.support import Api, Producer, Worker, until

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
FOR_PEOPLE = {("GET", "/docs"), ("GET", "/openapi.json")}


def test_every_route_is_in_the_docs_and_the_other_way_round(api: Api) -> None:
    """No route is missing in docs/api.md, and none stands there that is not served."""
    told = {(method, path) for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^\s`?]*)", TEXT)}
    served = {(method, path) for path, method, _ in operations(api.get("/openapi.json"))}
    assert told == served | FOR_PEOPLE


def test_every_socket_is_in_the_docs(broker: Broker, settings: DashboardSettings) -> None:
    """OpenAPI does not know web sockets; docs/api.md does."""
    parts = Parts(broker, settings)
    served = {route.path for route in routes(parts).routes if isinstance(route, WebSocketRoute)}
    parts.state.close()
    assert set(re.findall(r"`WS (/[^\s`?]*)", TEXT)) == served


def test_every_member_of_the_statistics_and_every_metric_is_in_the_docs(api: Api, broker: Broker) -> None:
    """What can be read can be looked up."""
    with Worker(broker):
        Producer(broker, "a").offer()
        stats = until(lambda: (found := api.get("/api/stats"))["age"]["p50"] and found)
    names = {*stats, *stats["frames"], *stats["cameras"]["a"], *stats["workers"], *stats["bottleneck"], *stats["cost"]}
    assert {name for name in names if f"`{name}`" not in TEXT} == set()
    metrics = set(re.findall(r"^# TYPE (\S+) ", api.http.get("/metrics").text, re.MULTILINE))
    assert {name for name in metrics if f"`{name}`" not in TEXT} == set()
    assert set(re.findall(r"`(rekstream_\w+)`", TEXT)) == metrics


def test_documented_errors_exist(api: Api) -> None:
    """The example of an error is what the API answers."""
    answer = api.http.get("/api/cameras/porch/frame.jpg")
    assert answer.text.replace('"error":{', '"error": {').replace(':"', ': "').replace(',"', ', "') in TEXT
