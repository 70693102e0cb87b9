"""Whatever a client sends, the API answers as its OpenAPI says, and never with a fault of its own."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from pipeline.broker import Broker
from tests.dashboard.support import Api, Worker

EXAMPLES = 6  # of each route, the same in each run
ENDLESS = "/api/events"


def no_fault(_: CheckContext, response: Response, case: Case) -> None:
    """500 is a fault of the program; what is not possible now is 502 to 504."""
    assert response.status_code != 500, case.as_curl_command()


CHECKS = [no_fault, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: str(mode.value))
def test_every_route_answers_as_documented_to_anything(mode: GenerationMode, api: Api, broker: Broker) -> None:
    schema = schemathesis.openapi.from_url(f"{api.url}/openapi.json").exclude(path=ENDLESS)
    asked: set[str] = set()
    with Worker(broker):
        for found in schema.get_all_operations():
            operation = found.ok()

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Case) -> None:
                case.call_and_validate(checks=CHECKS)  # called before the next round
                asked.add(case.operation.label)

            with suppress(Unsatisfiable):  # a route without parameters cannot be asked wrongly
                ask()
    assert {"POST /api/cameras", "PATCH /api/cameras/{camera_id}", "GET /api/results", "POST /api/photos"} <= asked
    assert httpx.get(f"{api.url}/healthz").status_code == 200
