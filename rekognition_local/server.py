"""The server as a whole: settings in, listening for as long as a with block lasts."""

import errno
import logging
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from pipeline.errors import PortInUse, SettingsError
from rekognition_local.access import Access, access_for
from rekognition_local.images import ImageLoader
from rekognition_local.operations import Dispatcher, Operations
from rekognition_local.protocol import Operation
from rekognition_local.rehearsal import Rehearsal, Stage
from rekognition_local.service import Service
from rekognition_local.wire import HttpServer
from vision.detector import DetectorSettings
from vision.faces import FaceEngine

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where to listen, and how to answer; port 0 takes a free one, `cores` None all there are.

    `data` is the folder in which collections last; without one they end with the server. With an access key and its
    secret key only requests signed with them are answered; without, only `host`s of this machine can be listened on.
    """

    host: str = "127.0.0.1"
    port: int = 0
    cores: int | None = None
    data: Path | None = None
    s3_endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    rehearsal: Rehearsal = field(default_factory=Rehearsal)


class Server:
    """A running server, for as long as the `with` block lasts; `url` is its endpoint_url.

    `operations` replaces what is answered, by AWS's names: a test or a measurement brings its own.
    """

    def __init__(self, settings: ServerSettings | None = None, operations: Mapping[str, Operation] | None = None) -> None:
        self._settings = settings or ServerSettings()
        self._access = access_for(self._settings.host, self._settings.access_key, self._settings.secret_key)
        self._own = Operations(FaceEngine(self._settings.detector), self._settings.data) if operations is None else None
        table = self._own.table() if self._own else operations or {}
        dispatcher = Dispatcher(table, ImageLoader(self._settings.s3_endpoint_url), self._settings.cores)
        self._service = Service(dispatcher, Stage(self._settings.rehearsal))
        self._http: HttpServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Server":
        self._http = _listen(self._settings, self._service, self._access)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_POLL_SECONDS,), name="rekognition-local")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop accepting, end the calls that only wait, let those at work finish, and close every connection."""
        http, thread = self._running(), self._thread
        self._service.close()
        http.shutdown()
        if thread is not None:
            thread.join()
        http.server_close()
        self._http = None
        if self._own:
            self._own.close()

    @property
    def url(self) -> str:
        """What boto3 takes as endpoint_url."""
        host, port = self._running().server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else host
        return f"http://{shown!s}:{port}"

    @property
    def stats(self) -> dict[str, Any]:
        """What GET /stats answers."""
        return self._service.stats.to_json()

    def rehearse(self, rehearsal: Rehearsal) -> None:
        """Do what PUT /rehearsal does."""
        self._service.stage.change(rehearsal)

    def _running(self) -> "HttpServer":
        if self._http is None:
            raise RuntimeError("the server runs inside its with block only")
        return self._http


def _listen(settings: ServerSettings, service: Service, access: Access) -> HttpServer:
    try:
        return HttpServer((settings.host, settings.port), service, access)
    except socket.gaierror as error:
        raise SettingsError(f"the host {settings.host!r} is not known on this machine: name one of its addresses") from error
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError(f"{settings.host!r} is no address of this machine: name one that is, or 127.0.0.1") from error
        where = f"{settings.host}:{settings.port}"
        raise PortInUse(
            f"the local Rekognition server cannot listen on {where} ({error.strerror}); choose another port"
        ) from error
