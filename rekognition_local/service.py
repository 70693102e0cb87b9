"""From a request's parts to a reply, with no HTTP in it: Rekognition's calls, and the server's own pages."""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from pipeline.errors import RekstreamError
from rekognition_local import protocol
from rekognition_local.operations import Dispatcher
from rekognition_local.protocol import ServiceError
from rekognition_local.rehearsal import Rehearsal, Stage, Stats

HEALTH = "/healthz"
"""What is answered to everybody: that the server is up."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the client."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Service:
    """Answers calls and pages; safe to call from several threads at once."""

    def __init__(self, dispatcher: Dispatcher, stage: Stage) -> None:
        self.stage = stage
        self.stats = Stats()
        self._closing = threading.Event()
        self._dispatcher = dispatcher

    def close(self) -> None:
        """Let the calls that only wait, for a core or for their latency, end now."""
        self._closing.set()
        self._dispatcher.close()

    def call(self, target: str | None, body: bytes, request_id: str) -> Reply:
        """Answer one call to Rekognition, and count it."""
        self.stats.begin()
        operation, outcome = "unknown", "InternalServerError"
        try:
            model = protocol.operation_named(target)
            operation = model.name
            self.stage.admit(operation)
            call = protocol.parse(model, body)
            failure = self.stage.failure()
            response = {} if failure else self._dispatcher.run(call)
            self._closing.wait(self.stage.delay())
            if failure:
                raise failure
            outcome = "ok"
            return Reply(HTTPStatus.OK, json.dumps(response).encode(), protocol.CONTENT_TYPE)
        except ServiceError as error:
            outcome = error.code
            return Reply(error.status, error.body(request_id), protocol.CONTENT_TYPE)
        except Exception:  # the boundary of a request's thread: whatever broke, the caller gets AWS's answer for it
            log.exception("request %s (%s) broke", request_id, operation)
            broken = ServiceError("InternalServerError", f"request {request_id} broke; the server's log says where")
            return Reply(broken.status, broken.body(request_id), protocol.CONTENT_TYPE)
        finally:
            self.stats.end(operation, outcome)

    def get(self, path: str) -> Reply:
        """Answer what can be read about the server itself."""
        views: dict[str, Callable[[], object]] = {
            HEALTH: lambda: {"status": "ok"},
            "/stats": self.stats.to_json,
            "/rehearsal": self.stage.rehearsal.to_json,
        }
        view = views.get(path)
        if view is None:
            return as_json(HTTPStatus.NOT_FOUND, {"error": f"{path} is not here; there is {', '.join(views)}"})
        return as_json(HTTPStatus.OK, view())

    def put(self, path: str, body: bytes) -> Reply:
        """Change the rehearsal."""
        if path != "/rehearsal":
            return as_json(HTTPStatus.NOT_FOUND, {"error": f"{path} cannot be changed; /rehearsal can"})
        try:
            self.stage.change(Rehearsal.from_json(json.loads(body)))
        except (ValueError, RecursionError) as error:
            return as_json(HTTPStatus.BAD_REQUEST, {"error": f"the rehearsal is not JSON: {error}"})
        except RekstreamError as error:
            return as_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        return self.get(path)


def as_json(status: int, value: object) -> Reply:
    """Return a JSON reply."""
    return Reply(status, json.dumps(value).encode())
