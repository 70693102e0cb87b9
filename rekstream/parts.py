"""The parts of the system, each in a process of its own: settings in, a room's `run` called, until the stop event is set."""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import CollectorRegistry

from pipeline.archive import ArchiveSettings
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.clock import RedisClock
from pipeline.errors import BrokerError, SettingsError
from pipeline.heap import share_heap
from pipeline.metrics import MetricsServer
from pipeline.presence import Presence, living
from pipeline.prices import prices_of
from pipeline.provider import DETECT_FACES, Provider
from pipeline.s3 import is_amazons
from pipeline.settings import Settings, load
from pipeline.shared import ARCHIVING, Shared, SharedSettings
from rekstream import __version__, environment, local
from rekstream.children import Child

log = logging.getLogger(__name__)

ASSUMED_CALL_SECONDS = 0.5  # of a call and RQ's round trips; the rule is rate x (service + 20 round trips)
MOST_THREADS = 64
TEND_SECONDS = 0.25


def produce(settings: Settings, stop: threading.Event) -> None:
    """Capture cameras until `stop`."""
    from producer.checks import Checker  # noqa: PLC0415  # only this part needs OpenCV and PyAV
    from producer.collector import CameraCollector  # noqa: PLC0415  # only this part needs it
    from producer.fleet import FleetSettings, run  # noqa: PLC0415  # only this part needs OpenCV and PyAV
    from rekstream.check import check_settings  # noqa: PLC0415  # needs PyAV as well

    broker = broker_of(settings)
    broker.check()
    name = f"{socket.gethostname()}-{os.getpid()}"
    registry = CollectorRegistry()
    clock = RedisClock(broker.scripts)
    registry.register(CameraCollector(CameraRegistry(broker.scripts), name, lambda: clock.error_seconds))
    server = MetricsServer(registry, broker.own_address())
    presence = Presence(broker.scripts, "producer", __version__, server.address)
    presence.start()
    checker = Checker(broker, check_settings(settings), stop)
    checker.start()
    run(
        FleetSettings(
            name=name,
            redis_url=_redis_url(settings),
            redis_password=settings.password(),
            demo_folder=local.DEMO_FOLDER,
            privacy=settings.privacy,
            log_level=logging.getLevelNamesMapping()[settings.log_level.upper()],
        ),
        stop,
        lambda: len(living(broker.scripts, "producer")),
    )
    checker.join()
    presence.stop()
    server.stop()


def work(settings: Settings, stop: threading.Event) -> None:
    """Analyse frames until `stop`, as the system that is joined was set up, with a local server of its own where needed."""
    from workers.pool import WorkerSettings, run  # noqa: PLC0415  # only this part needs boto3

    broker = broker_of(settings)
    broker.check()
    settings = _joined(settings, SharedSettings(broker.scripts).read())
    with _local_rekognition_if_needed(settings) as local_url:
        provider = Provider.of(settings, local_url, _account(settings))
        run(
            broker,
            WorkerSettings(
                provider=provider,
                threads=settings.threads or threads_for(provider),
                burst=settings.burst,
                connect_timeout=settings.connect_timeout,
                read_timeout=settings.read_timeout,
                version=__version__,
                privacy=settings.privacy,
                archive=ArchiveSettings.of(settings),
            ),
            stop,
        )


def people(settings: Settings, stop: threading.Event) -> None:
    """Know who is there until `stop`."""
    from people.house import PeopleSettings  # noqa: PLC0415  # only this part needs it
    from people.process import run  # noqa: PLC0415  # only this part needs it

    broker = broker_of(settings)
    broker.check()
    provider = Provider.of(settings, settings.local_url)
    run(
        broker,
        PeopleSettings(
            data=settings.data,
            provider=provider,
            collection=settings.collection,
            show=settings.show_similarity,
            watch=settings.watch_similarity,
            visit_gap=settings.visit_gap,
            visit_days=settings.visit_days,
            unknown_hours=settings.unknown_hours,
            version=__version__,
            privacy=settings.privacy,
            alert_days=settings.alert_days,
        ),
        stop,
    )


def history(settings: Settings, stop: threading.Event) -> None:
    """Keep what was until `stop`."""
    from history.house import HistorySettings  # noqa: PLC0415  # only this part needs SQLAlchemy
    from history.process import run  # noqa: PLC0415  # only this part needs SQLAlchemy

    broker = broker_of(settings)
    broker.check()
    run(
        broker,
        HistorySettings(
            data=settings.data,
            database=settings.database.get_secret_value() if settings.database else "",
            keep=settings.keep_seconds,
            time_zone=settings.time_zone,
            version=__version__,
            privacy=settings.privacy,
            archive=ArchiveSettings.of(settings),
            prices=prices_of(settings.prices),
            region=settings.region,
        ),
        stop,
    )


def local_rekognition(
    settings: Settings,
    tps: tuple[str, ...],
    latency: str | None,
    errors: float,
    stop: threading.Event,
    ready: Callable[[str], None],
) -> None:
    """Serve Rekognition's API until `stop`; `ready` is told the URL."""
    from rekognition_local.rehearsal import Rehearsal, parse_latency, parse_tps  # noqa: PLC0415  # needs onnxruntime
    from rekognition_local.server import Server, ServerSettings  # noqa: PLC0415  # needs onnxruntime
    from vision.detector import DetectorSettings  # noqa: PLC0415  # needs onnxruntime

    median, sigma = parse_latency(latency) if latency else (0.0, 0.0)
    rehearsal = Rehearsal(tps=parse_tps(tps), latency=median, latency_sigma=sigma, errors=errors)
    share_heap()
    server_settings = ServerSettings(
        settings.host,
        settings.port,
        data=settings.data,
        s3_endpoint_url=settings.s3_endpoint_url,
        access_key=settings.access_key.get_secret_value() if settings.access_key else None,
        secret_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
        detector=DetectorSettings(side=settings.detector_side),
        rehearsal=rehearsal,
    )
    with Server(server_settings) as server:
        ready(server.url)
        stop.wait()


def dashboard(settings: Settings, stop: threading.Event) -> None:
    """Serve the API until `stop`."""
    from dashboard.app import run  # noqa: PLC0415  # only this part needs FastAPI
    from dashboard.passwords import PasswordHash  # noqa: PLC0415  # only this part needs FastAPI
    from dashboard.settings import DashboardSettings  # noqa: PLC0415  # only this part needs FastAPI
    from pipeline.camera_spec import CameraDefaults  # noqa: PLC0415  # beside its only user
    from pipeline.settings import parse_attributes  # noqa: PLC0415  # beside its only user
    from pipeline.spending import Budget  # noqa: PLC0415  # beside its only user

    broker = broker_of(settings)
    broker.check()
    provider = Provider.of(settings, settings.local_url)
    password = settings.dashboard_password()
    run(
        broker,
        DashboardSettings(
            host=settings.host,
            port=settings.port,
            data=settings.data,
            provider=provider,
            budget=Budget.parse(settings.budget) if provider.paid else None,
            camera_defaults=CameraDefaults(settings.sampled_fps, parse_attributes(settings.attributes), settings.default_gate),
            version=__version__,
            privacy=settings.privacy,
            token=settings.token.get_secret_value() if settings.token else None,
            password=PasswordHash.of(password) if password else None,
            examples=local.DEMO_FOLDER,
            prometheus=settings.prometheus.get_secret_value() if settings.prometheus else None,
            contact=settings.contact,
            visit_days=settings.visit_days,
            unknown_hours=settings.unknown_hours,
            keep_days=settings.keep_seconds / 86_400,
            archive=_kind_of_archive(settings),
        ),
        stop,
        lambda url: log.info("listening at %s", url),
    )


def _kind_of_archive(settings: Settings) -> Literal["", "folder", "S3", "AWS"]:
    """Return where pictures are archived, in a word for the cameras' notices."""
    archive = ArchiveSettings.of(settings)
    if archive is None:
        return ""
    return "folder" if archive.folder else "AWS" if is_amazons(settings) else "S3"


def broker_of(settings: Settings) -> Broker:
    """Return the Redis that the settings name; raises BrokerError when they name none."""
    return Broker(_redis_url(settings), settings.password())


def threads_for(provider: Provider) -> int:
    """Return how many calls in flight the provider's rate needs; locally, what keeps the cores busy."""
    if provider.name == "local":
        return 2 * (os.cpu_count() or 1) if provider.tps is None else max(4, _by_rate(provider))
    return max(8, _by_rate(provider))


def _by_rate(provider: Provider) -> int:
    return min(MOST_THREADS, math.ceil(provider.calls_per_second(DETECT_FACES) * ASSUMED_CALL_SECONDS))


def _redis_url(settings: Settings) -> str:
    if settings.redis is None:
        raise BrokerError("no Redis is named: say --redis redis://HOST:6379, or start everything with `rekstream up`")
    return settings.redis


def _joined(settings: Settings, shared: Shared | None) -> Settings:
    """Let what `up` told everybody stand where this process was told nothing itself; raises SettingsError.

    Consent to pay is not passed on: whoever joins a system that analyses with AWS says --aws too.
    """
    if shared is None:
        return settings
    own = settings.model_dump(include=settings.model_fields_set)
    theirs = {"region": shared.region, "tps": shared.tps, "burst": shared.burst}
    theirs |= {name: value for name in ARCHIVING if (value := getattr(shared, name))}
    if "endpoint_url" not in own and "local_url" not in own:
        theirs["endpoint_url"] = _their_endpoint(settings, shared)
    return load(**{**theirs, **own})


def _their_endpoint(settings: Settings, shared: Shared) -> str | None:
    if shared.provider == "aws" and settings.provider != "aws":
        raise SettingsError(
            f"this system analyses with AWS in {shared.region}, which costs money: "
            "say --aws to join it with the credentials of this machine"
        )
    if shared.provider == "endpoint" and shared.endpoint_url is None:
        raise SettingsError(
            "this system's Rekognition listens on a loopback address of another machine: name one for here with --endpoint-url"
        )
    return shared.endpoint_url


def _account(settings: Settings) -> str:
    from workers.rekognition import account_of  # noqa: PLC0415  # only where AWS is asked for

    provider = Provider.of(settings)
    return account_of(provider) if provider.paid else ""


@contextmanager
def _local_rekognition_if_needed(settings: Settings) -> Iterator[str | None]:
    """Run a local Rekognition server beside the worker when it is to use one and none was named."""
    if settings.provider == "aws" or settings.endpoint_url or settings.local_url:
        yield settings.local_url
        return
    part, url = local.rekognition_part(environment.of_children(settings))
    with _kept_running(Child(part, lambda name, text: log.warning("%s: %s", name, text))):
        local.wait_until_healthy(url, lambda: None)
        yield url


@contextmanager
def _kept_running(child: Child) -> Iterator[None]:
    """Tend a child on a thread, which also starts it: Linux ends children with the thread that started them."""
    stop = threading.Event()
    thread = threading.Thread(target=_tend, args=(child, stop.wait), name=child.part.name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        child.stop()


def _tend(child: Child, wait: Callable[[float], bool]) -> None:
    child.start()
    while not wait(TEND_SECONDS):
        try:
            child.tend()
        except SettingsError as error:
            log.error("%s", error)
            return
