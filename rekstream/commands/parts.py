"""The parts of the system, each a process, and `up`, which starts them all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.settings import Settings
from rekstream import __version__
from rekstream.commands.common import settings_of, stop_on_signals
from rekstream.commands.flags import (
    Archive,
    Attributes,
    Aws,
    Budget,
    ConfigFile,
    Data,
    Database,
    Endpoint,
    Fps,
    Host,
    Keep,
    PasswordFile,
    Port,
    Privacy,
    Prometheus,
    Redis,
    Region,
    S3Endpoint,
    Threads,
    Tps,
)

app = typer.Typer()
LOCAL_REKOGNITION_PORT = 9000


@app.command()
def up(
    sources: Annotated[list[str] | None, typer.Argument(help="rtsp://…, http://…, a file, a folder, 0, webcam, demo")] = None,
    config_file: ConfigFile = None,
    fps: Fps = None,
    attributes: Attributes = None,
    redis: Redis = None,
    aws: Aws = False,
    budget: Budget = None,
    endpoint_url: Endpoint = None,
    s3_endpoint_url: S3Endpoint = None,
    region: Region = None,
    tps: Tps = None,
    threads: Threads = None,
    host: Host = None,
    port: Port = None,
    password_file: PasswordFile = None,
    data: Data = None,
    database: Database = None,
    keep: Keep = None,
    archive: Archive = None,
    privacy: Privacy = False,
    prometheus: Prometheus = None,
    seconds: Annotated[float | None, typer.Option("--for", min=0.1, help="stop after so many seconds")] = None,
    output: Annotated[Path | None, typer.Option(help="append each result to this file, a JSON object a line")] = None,
) -> None:
    """Start everything, show what the cameras see, and stop everything on Ctrl-C."""
    from rekstream.session import Session, find_config  # noqa: PLC0415  # only `up` needs all rooms

    given = {
        "fps": fps, "attributes": attributes, "redis": redis, "budget": budget, "endpoint_url": endpoint_url,
        "region": region, "tps": tps, "threads": threads, "host": host, "port": port, "data": data,
        "password_file": password_file, "provider": "aws" if aws else None, "s3_endpoint_url": s3_endpoint_url,
        "privacy": privacy or None,
        "prometheus": prometheus, "database": database, "keep": keep, "archive": archive,
    }  # fmt: skip
    Session(sources or [], find_config(config_file), given, output).run(stop_on_signals(), seconds)


@app.command()
def produce(redis: Redis = None) -> None:
    """Capture the cameras of the system at --redis; several share them."""
    from rekstream import parts  # noqa: PLC0415  # a producer needs OpenCV and PyAV, the other commands do not

    parts.produce(settings_of(redis=redis), stop_on_signals())


@app.command()
def work(
    redis: Redis = None,
    aws: Aws = False,
    endpoint_url: Endpoint = None,
    region: Region = None,
    tps: Tps = None,
    threads: Threads = None,
    archive: Archive = None,
    s3_endpoint_url: S3Endpoint = None,
) -> None:
    """Analyse frames of the system at --redis, on any machine that reaches it; several share the load and the limit."""
    from rekstream import parts  # noqa: PLC0415  # a worker needs boto3, the other commands do not

    flags = {"redis": redis, "endpoint_url": endpoint_url, "region": region, "tps": tps, "threads": threads}
    flags |= {"archive": archive, "s3_endpoint_url": s3_endpoint_url}
    settings = settings_of(**flags, provider="aws" if aws else None)
    parts.work(settings, stop_on_signals())


@app.command()
def people(redis: Redis = None, data: Data = None) -> None:
    """Know who is there: follow the results of the system at --redis, and keep people.sqlite; one such process a system."""
    from rekstream import parts  # noqa: PLC0415  # beside its only user

    parts.people(settings_of(redis=redis, data=data), stop_on_signals())


@app.command()
def history(
    redis: Redis = None,
    data: Data = None,
    database: Database = None,
    keep: Keep = None,
    archive: Archive = None,
    s3_endpoint_url: S3Endpoint = None,
) -> None:
    """Keep what was: write the results of the system at --redis into a database; one such process a system."""
    from rekstream import parts  # noqa: PLC0415  # beside its only user

    flags = {"redis": redis, "data": data, "database": database, "keep": keep, "archive": archive}
    parts.history(settings_of(**flags, s3_endpoint_url=s3_endpoint_url), stop_on_signals())


@app.command()
def local_rekognition(
    host: Host = None,
    port: Annotated[int | None, typer.Option(help="port to listen on, 9000 if not said; 0 takes a free one")] = None,
    data: Annotated[Path | None, typer.Option(help="folder in which collections are kept")] = None,
    s3_endpoint_url: S3Endpoint = None,
    access_key: Annotated[str | None, typer.Option(help="answer signed requests only; needed beyond loopback")] = None,
    secret_key: Annotated[str | None, typer.Option(help="its secret; better in REKSTREAM_SECRET_KEY than here")] = None,
    tps: Annotated[list[str] | None, typer.Option(help="rehearse quotas: DetectFaces=20, or a region's: us-east-1")] = None,
    latency: Annotated[str | None, typer.Option(help="rehearse a slow service: median:sigma in seconds, 0.3:0.15")] = None,
    errors: Annotated[float, typer.Option(min=0, max=1, help="rehearse faults: the share of calls that fail")] = 0.0,
) -> None:
    """Serve Rekognition's API with open models on this machine."""
    from rekstream import parts  # noqa: PLC0415  # the server needs onnxruntime, the other commands do not

    keys = {"access_key": access_key, "secret_key": secret_key}
    settings = settings_of(host=host, port=port, data=data, s3_endpoint_url=s3_endpoint_url, **keys)
    parts.local_rekognition(_with_own_port(settings), tuple(tps or ()), latency, errors, stop_on_signals(), _say_where)


@app.command()
def dashboard(
    redis: Redis = None,
    host: Host = None,
    port: Port = None,
    password_file: PasswordFile = None,
    data: Data = None,
    prometheus: Prometheus = None,
) -> None:
    """Serve the API of the system at --redis."""
    from rekstream import parts  # noqa: PLC0415  # the API needs FastAPI, the other commands do not

    flags = {"redis": redis, "host": host, "port": port, "password_file": password_file, "data": data}
    parts.dashboard(settings_of(**flags, prometheus=prometheus), stop_on_signals())


@app.command()
def health(
    part: Annotated[
        Literal["produce", "work", "people", "history", "dashboard", "local-rekognition"], typer.Argument(help="which")
    ],
    redis: Redis = None,
    host: Host = None,
    port: Port = None,
) -> None:
    """Say whether a part runs well on this machine, as the health checks of containers ask; else exit code 2."""
    from rekstream.health import check_health  # noqa: PLC0415  # beside its only user

    settings = settings_of(redis=redis, host=host, port=port)
    typer.echo(check_health(part, _with_own_port(settings) if part == "local-rekognition" else settings))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _with_own_port(settings: Settings) -> Settings:
    """Return the local Rekognition server's settings: the port's default is the dashboard's."""
    if "port" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"port": LOCAL_REKOGNITION_PORT})


def _say_where(url: str) -> None:
    """Say where the server answers, on standard output: that of a part of `up` is not shown."""
    typer.echo(f"Rekognition's API is at {url}: give that to boto3 as endpoint_url (Ctrl-C ends it)")
