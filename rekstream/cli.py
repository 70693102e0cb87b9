"""The commands. Each reads its flags, asks the rooms below, and says in one sentence what is wrong."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipeline import logs
from pipeline.errors import RekstreamError, redact
from pipeline.settings import Settings, environment, load
from pipeline.signals import stop_event
from rekstream import __version__
from rekstream.client import Client, describe_camera
from rekstream.words import describe_alert, describe_try, describe_watch

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Near real-time face analysis of live cameras with Amazon Rekognition, or with open models on this machine.",
)
camera = typer.Typer(no_args_is_help=True, help="Cameras of the running system, and checking one before it is added.")
config = typer.Typer(no_args_is_help=True, help="The file rekstream.yml.")
faces = typer.Typer(no_args_is_help=True, help="People that the running system knows by their faces.")
watch = typer.Typer(no_args_is_help=True, help="Whom or what you want to hear of, and where: alerts.")
alerts = typer.Typer(invoke_without_command=True, help="What the watches told.")
show = typer.Typer(no_args_is_help=True, help="Shows: laughs counted from a start to a stop, with a receipt.")
app.add_typer(camera, name="camera")
app.add_typer(faces, name="faces")
app.add_typer(config, name="config")
app.add_typer(watch, name="watch")
app.add_typer(alerts, name="alerts")
app.add_typer(show, name="show")

ConfigFile = Annotated[Path | None, typer.Option("--config", help="settings and cameras; rekstream.yml if it is there")]
Redis = Annotated[str | None, typer.Option(help="Redis or Valkey to use; none starts an embedded one")]
Fps = Annotated[float | None, typer.Option(help="frames sampled a second and camera; 5 local, 1 on AWS")]
Attributes = Annotated[str | None, typer.Option(help="default, all, or some: smile,emotions,age_range")]
Aws = Annotated[bool, typer.Option("--aws", help="send pictures to Amazon Rekognition, which costs money")]
Budget = Annotated[str | None, typer.Option(help="the most to spend on AWS: 0.50/hour, 1/day, 20/month")]
Endpoint = Annotated[str | None, typer.Option(help="another Rekognition-compatible server; never paid")]
S3Endpoint = Annotated[str | None, typer.Option(help="S3 that the local server reads objects from")]
Region = Annotated[str | None, typer.Option(help="AWS region")]
Tps = Annotated[float | None, typer.Option(help="calls a second allowed, for all workers together")]
Threads = Annotated[int | None, typer.Option(help="calls in flight of one worker process")]
GateChoice = Annotated[str | None, typer.Option("--gate", help="what a call needs: off, motion or face; face on AWS")]
Labels = Annotated[str | None, typer.Option(help="how often the scene's labels are asked: 'every 10s', or off")]
Purpose = Annotated[str | None, typer.Option(help="what the camera is for: access, watch, audience or test")]
Schedule = Annotated[str | None, typer.Option(help="when it is looked at: 'mon-fri 08:00-18:00'; '' for always")]
SmallestFace = Annotated[int | None, typer.Option(help="pixels that a face is high at least, to count")]
Host = Annotated[str | None, typer.Option(help="address to listen on")]
Port = Annotated[int | None, typer.Option(help="port to listen on; 0 takes a free one")]
PasswordFile = Annotated[Path | None, typer.Option(help="file with the password of the page; needed beyond loopback")]
Data = Annotated[Path | None, typer.Option(help="folder of the state file")]
Database = Annotated[str | None, typer.Option(help="postgresql://… for the history; with a password better REKSTREAM_DATABASE")]
Keep = Annotated[str | None, typer.Option(help="how long the history is kept: 12h, 30d, 1y, or forever")]
Archive = Annotated[str | None, typer.Option(help="s3://bucket/prefix or a folder for analysed pictures; none keeps none")]
Privacy = Annotated[bool, typer.Option("--privacy", help="make faces unrecognisable in all pictures shown and kept")]
Prometheus = Annotated[str | None, typer.Option(help="Prometheus that the charts ask; none keeps their last hour itself")]
Server = Annotated[str | None, typer.Option(help="the running system's API")]
Consent = Annotated[str | None, typer.Option(help="the day on which the person agreed, as 2026-11-23")]
LegalBasis = Annotated[str | None, typer.Option(help="why the person may be known, in words")]
LOCAL_REKOGNITION_PORT = 9000
_INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended
JsonFlag = Annotated[bool, typer.Option("--json", help="print JSON")]


def main() -> None:
    """Run a command; what its user can put right ends in one sentence and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except RekstreamError as error:
        code = _fail(str(error))
    except typer.Abort:
        code = _INTERRUPTED
    except typer.Exit as error:
        code = error.exit_code
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # whoever says nothing wants to read
            typer.echo(_in_words(error))
            sys.exit(2)
        code = _fail(redact(_in_words(error)))
    sys.exit(code if isinstance(code, int) else 0)


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
    Session(sources or [], find_config(config_file), given, output).run(_stop_on_signals(), seconds)


@app.command()
def produce(redis: Redis = None) -> None:
    """Capture the cameras of the system at --redis; several share them."""
    from rekstream import parts  # noqa: PLC0415  # a producer needs OpenCV and PyAV, the other commands do not

    parts.produce(_settings(redis=redis), _stop_on_signals())


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
    settings = _settings(**flags, provider="aws" if aws else None)
    parts.work(settings, _stop_on_signals())


@app.command()
def people(redis: Redis = None, data: Data = None) -> None:
    """Know who is there: follow the results of the system at --redis, and keep people.sqlite; one such process a system."""
    from rekstream import parts  # noqa: PLC0415  # beside its only user

    parts.people(_settings(redis=redis, data=data), _stop_on_signals())


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
    parts.history(_settings(**flags, s3_endpoint_url=s3_endpoint_url), _stop_on_signals())


@app.command()
def export(
    since: Annotated[str, typer.Option(help="1d or 24h (ago), 2026-11-23, '2026-11-23 08:00'")] = "1d",
    until: Annotated[str, typer.Option(help="the same, or now")] = "now",
    camera_ids: Annotated[list[str] | None, typer.Option("--camera", help="only this camera; may be repeated")] = None,
    form: Annotated[Literal["csv", "jsonl", "parquet"], typer.Option("--format", help="csv, jsonl or parquet")] = "csv",
    output: Annotated[Path, typer.Option("--output", "-o", help="file to write; - prints it")] = Path("-"),
    data: Data = None,
    database: Database = None,
) -> None:
    """Write results of before into a file: a row for each face, or results as the API shows them (jsonl)."""
    from rekstream import history_files  # noqa: PLC0415  # only these commands need SQLAlchemy

    told = history_files.export(_settings(data=data, database=database), since, until, tuple(camera_ids or ()), form, output)
    typer.echo(told, err=True)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="a new file")], data: Data = None, database: Database = None) -> None:
    """Write the whole history into one file, also while it is written to; restore puts it into either kind of database."""
    from rekstream import history_files  # noqa: PLC0415  # only these commands need SQLAlchemy

    typer.echo(history_files.backup(_settings(data=data, database=database), file))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="what backup wrote")],
    replace: Annotated[bool, typer.Option("--replace", help="let the history that is there go")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Put a backup back, while no rekstream runs with this history."""
    from rekstream import history_files  # noqa: PLC0415  # only these commands need SQLAlchemy

    typer.echo(history_files.restore(_settings(data=data, database=database), file, replace=replace))


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
    settings = _settings(host=host, port=port, data=data, s3_endpoint_url=s3_endpoint_url, **keys)
    parts.local_rekognition(_with_own_port(settings), tuple(tps or ()), latency, errors, _stop_on_signals(), _say_where)


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
    parts.dashboard(_settings(**flags, prometheus=prometheus), _stop_on_signals())


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

    settings = _settings(redis=redis, host=host, port=port)
    typer.echo(check_health(part, _with_own_port(settings) if part == "local-rekognition" else settings))


@app.command()
def photo(
    files: Annotated[list[str], typer.Argument(help="pictures, or s3://bucket/key")],
    attributes: Attributes = None,
    json: JsonFlag = False,
    save: Annotated[Path | None, typer.Option(help="write the picture with the faces' boxes to this file")] = None,
    aws: Aws = False,
    endpoint_url: Endpoint = None,
    s3_endpoint_url: S3Endpoint = None,
    region: Region = None,
) -> None:
    """Analyse pictures once, with nothing else running."""
    from rekstream.photo import analyse_photos  # noqa: PLC0415  # needs onnxruntime or boto3

    flags = {"attributes": attributes, "endpoint_url": endpoint_url, "s3_endpoint_url": s3_endpoint_url, "region": region}
    settings = _settings(**flags, provider="aws" if aws else None)
    raise typer.Exit(analyse_photos(files, settings, as_json=json, save=save))


@app.command()
def study(
    files: Annotated[list[str], typer.Argument(help="pictures")],
    only: Annotated[str | None, typer.Option(help="what to change: resolution,brightness,cover,s3; all if not said")] = None,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="calls of each variant; the median time is told")] = 3,
    s3: Annotated[str | None, typer.Option(help="s3://bucket/prefix, to compare bytes with an S3 object")] = None,
    s3_endpoint_url: Annotated[str | None, typer.Option(help="an S3 other than AWS's")] = None,
    json: JsonFlag = False,
    csv: Annotated[Path | None, typer.Option(help="write all figures to this file")] = None,
    plot: Annotated[Path | None, typer.Option(help="write charts to this file, a page of HTML")] = None,
    aws: Aws = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask before AWS is paid")] = False,
    endpoint_url: Endpoint = None,
    region: Region = None,
) -> None:
    """Change pictures little by little and tell which of Rekognition's answers survive, and how long each call took."""
    from rekstream.study.command import Wishes, study_pictures  # noqa: PLC0415  # needs onnxruntime or boto3

    flags = {"endpoint_url": endpoint_url, "s3_endpoint_url": s3_endpoint_url, "region": region}
    settings = _settings(**flags, provider="aws" if aws else None)
    _end_as_on_ctrl_c()  # what lies in S3 meanwhile is deleted on the way out
    wishes = Wishes(only, repeat, s3, yes, json, csv, plot)
    raise typer.Exit(study_pictures(files, settings, wishes))


@camera.command("list")
def camera_list(server: Server = None, json: JsonFlag = False) -> None:
    """Name the cameras and how they are."""
    found = _client(server).cameras()
    _print_json(found) if json else typer.echo("\n".join(map(describe_camera, found)) or "there are no cameras")


@camera.command("add")
def camera_add(
    url: str,
    camera_id: Annotated[str | None, typer.Option("--id", help="a name for it; made from the URL if not said")] = None,
    fps: Fps = None,
    attributes: Attributes = None,
    gate: GateChoice = None,
    labels: Labels = None,
    purpose: Purpose = None,
    schedule: Schedule = None,
    smallest_face: SmallestFace = None,
    server: Server = None,
) -> None:
    """Add a camera to the running system."""
    rules = {"gate": gate, "labels": labels, "purpose": purpose, "schedule": schedule, "smallest_face": smallest_face}
    members = {"url": url, "id": camera_id, "fps": fps, "attributes": attributes, **rules}
    typer.echo(describe_camera(_client(server).add_camera(members)))


@camera.command("change")
def camera_change(
    camera_id: Annotated[str, typer.Argument(metavar="ID")],
    url: Annotated[str | None, typer.Option()] = None,
    fps: Fps = None,
    attributes: Attributes = None,
    paused: Annotated[bool | None, typer.Option("--pause/--resume")] = None,
    gate: GateChoice = None,
    labels: Labels = None,
    purpose: Purpose = None,
    schedule: Schedule = None,
    smallest_face: SmallestFace = None,
    server: Server = None,
) -> None:
    """Change a camera of the running system."""
    rules = {"gate": gate, "labels": labels, "purpose": purpose, "schedule": schedule, "smallest_face": smallest_face}
    members = {"url": url, "fps": fps, "attributes": attributes, "paused": paused, **rules}
    typer.echo(describe_camera(_client(server).change_camera(camera_id, members)))


@camera.command("remove")
def camera_remove(camera_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Take a camera off the running system."""
    _client(server).remove_camera(camera_id)
    typer.echo(f"{camera_id} is removed")


@camera.command("check")
def camera_check(url: str) -> None:
    """Open a source and say in one sentence what it is, or what is wrong with it and what to do."""
    from rekstream.check import check_camera  # noqa: PLC0415  # needs PyAV and onnxruntime

    settings = _settings()
    typer.echo(check_camera(url, settings))


@watch.command("add")
def watch_add(
    who: Annotated[str, typer.Argument(help="a person's name, unknown, emotion=HAPPY or label=Dog")],
    notify: Annotated[
        list[str],
        typer.Option(help="where: https://… (a JSON webhook), mailto://, slack:// …; - reads a line from stdin"),
    ],
    cameras: Annotated[list[str] | None, typer.Option("--camera", help="watch this camera; all if none is said")] = None,
    cooldown: Annotated[float | None, typer.Option(help="seconds to keep still after an alert; 60 if not said")] = None,
    schedule: Annotated[str | None, typer.Option(help="when: mon-fri 08:00-18:00")] = None,
    server: Server = None,
) -> None:
    """Watch for somebody or something."""
    urls = [typer.get_text_stream("stdin").readline().strip() if url == "-" else url for url in notify]  # ps shows arguments
    members = {"who": who, "notify": urls, "cameras": cameras or None, "cooldown": cooldown, "schedule": schedule}
    typer.echo(describe_watch(_client(server).add_watch(members)))


@watch.command("list")
def watch_list(server: Server = None, json: JsonFlag = False) -> None:
    """Name the watches, their receivers, and what troubles these."""
    found = _client(server).watches()
    _print_json(found) if json else typer.echo("\n".join(map(describe_watch, found)) or "there are no watches")


@watch.command("remove")
def watch_remove(watch_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Watch no longer; what of it was not delivered yet is dropped."""
    _client(server).remove_watch(watch_id)
    typer.echo(f"{watch_id} is removed")


@watch.command("test")
def watch_test(watch_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Send a test to each receiver of a watch; exit code 1 when one did not take it."""
    found = _client(server).test_watch(watch_id)
    typer.echo("\n".join(map(describe_try, found)))
    raise typer.Exit(int(not all(tried["ok"] for tried in found)))


@alerts.callback()
def alerts_list(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=500, help="the newest so many")] = 20,
    server: Server = None,
    json: JsonFlag = False,
) -> None:
    """Name the newest alerts, the newest first."""
    if context.invoked_subcommand:
        return
    found = _client(server).alerts(limit)
    _print_json(found) if json else typer.echo("\n".join(map(describe_alert, found)) or "there are no alerts")


@alerts.command("confirm")
def alerts_confirm(alert_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Say that an alert was right."""
    typer.echo(describe_alert(_client(server).judge_alert(alert_id, "confirmed")))


@alerts.command("wrong")
def alerts_wrong(alert_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Say that an alert was wrong."""
    typer.echo(describe_alert(_client(server).judge_alert(alert_id, "wrong")))


@show.command("start")
def show_start(
    name: str,
    cameras: Annotated[list[str] | None, typer.Option("--camera", help="count at this camera; at all if none is said")] = None,
    price: Annotated[float | None, typer.Option(min=0, help="what one laugh costs")] = None,
    currency: Annotated[str | None, typer.Option(help="of the price: EUR; USD if not said")] = None,
    gone: Annotated[str | None, typer.Option(help="delete all its data at: 06:00, 12h (from now), '2026-11-24 06:00'")] = None,
    server: Server = None,
) -> None:
    """Start to count the laughs of a show."""
    from rekstream.shows import describe_show, hour_to_come  # noqa: PLC0415  # beside its only users

    gone_at = hour_to_come(gone, time.time()) if gone else None
    members = {"name": name, "cameras": cameras or None, "price": price, "currency": currency, "gone_at": gone_at}
    typer.echo(describe_show(_client(server).start_show(members)))


@show.command("stop")
def show_stop(show_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None, json: JsonFlag = False) -> None:
    """Stop a show and print its receipt."""
    from rekstream.shows import receipt_in_words  # noqa: PLC0415  # beside its only users

    found = _client(server).stop_show(show_id)
    _print_json(found) if json else typer.echo(receipt_in_words(found))


@show.command("list")
def show_list(server: Server = None, json: JsonFlag = False) -> None:
    """Name the shows, the newest first."""
    from rekstream.shows import describe_show  # noqa: PLC0415  # beside its only users

    found = _client(server).shows()
    _print_json(found) if json else typer.echo("\n".join(map(describe_show, found)) or "there are no shows")


@show.command("receipt")
def show_receipt(show_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None, json: JsonFlag = False) -> None:
    """Print the receipt of a show as it is now."""
    from rekstream.shows import receipt_in_words  # noqa: PLC0415  # beside its only users

    found = _client(server).receipt(show_id)
    _print_json(found) if json else typer.echo(receipt_in_words(found))


@faces.command("add")
def faces_add(
    name: str,
    pictures: Annotated[list[Path], typer.Argument(help="JPEG or PNG, each with this person's face alone")],
    consent: Consent = None,
    legal_basis: LegalBasis = None,
    server: Server = None,
) -> None:
    """Add pictures of somebody, known or new; each is taken, or refused with what is wrong with it."""
    from rekstream.faces import Reason, add_person  # noqa: PLC0415  # beside its only users

    raise typer.Exit(add_person(_client(server), name, pictures, Reason(consent, legal_basis)))


@faces.command("list")
def faces_list(server: Server = None, json: JsonFlag = False) -> None:
    """Name who is known, and who has to be enrolled again."""
    from rekstream.faces import list_people  # noqa: PLC0415  # beside its only users

    found = _client(server).people()
    _print_json(found) if json else typer.echo(list_people(found))


@faces.command("remove")
def faces_remove(
    name: str,
    face: Annotated[str | None, typer.Option(help="only the face of this id, as `faces list --json` names it")] = None,
    server: Server = None,
) -> None:
    """Take somebody off the list with all their faces, or one face."""
    from rekstream.faces import remove  # noqa: PLC0415  # beside its only users

    typer.echo(remove(_client(server), name, face))


@faces.command("import")
def faces_import(folder: Path, consent: Consent = None, legal_basis: LegalBasis = None, server: Server = None) -> None:
    """Add a folder of pictures: a folder for each person, or files with people's names."""
    from rekstream.faces import Reason, import_folder  # noqa: PLC0415  # beside its only users

    raise typer.Exit(import_folder(_client(server), folder, Reason(consent, legal_basis)))


@app.command()
def replay(
    place: Annotated[str, typer.Argument(help="the folder or s3://bucket/prefix of an archive")],
    since: Annotated[str | None, typer.Option(help="from when: 2h (ago), 2026-11-23T08:00; the beginning if not said")] = None,
    until: Annotated[str | None, typer.Option(help="until when; now if not said")] = None,
    cameras: Annotated[list[str] | None, typer.Option("--camera", help="only this camera; all if none is said")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="so many times as fast as it was")] = 1.0,
    aws: Aws = False,
    s3_endpoint_url: S3Endpoint = None,
    region: Region = None,
    server: Server = None,
) -> None:
    """Show archived frames again on the page of the running system, as cameras of their own; nothing is analysed or counted."""
    from pipeline.moments import moment  # noqa: PLC0415  # beside its only user
    from rekstream.replay import Span, show_again  # noqa: PLC0415  # beside its only user

    settings = _settings(s3_endpoint_url=s3_endpoint_url, region=region, provider="aws" if aws else None)
    now = time.time()
    span = Span(moment(since, now) if since else 0.0, moment(until, now) if until else now, tuple(cameras or ()), speed)
    raise typer.Exit(show_again(place, settings, _client(server), span, _stop_on_signals()))


@app.command()
def forget(
    name: str,
    picture: Annotated[Path | None, typer.Option(help="search with this picture afterwards, too")] = None,
    server: Server = None,
) -> None:
    """Remove somebody from everywhere, and prove it by searching."""
    from rekstream.faces import forget as forget_person  # noqa: PLC0415  # beside its only users

    raise typer.Exit(forget_person(_client(server), name, picture))


@app.command()
def money(
    since: Annotated[str | None, typer.Option(help="24h or 7d (ago), or 2026-11-23; the month's start if not said")] = None,
    until: Annotated[str | None, typer.Option(help="as --since; now if not said")] = None,
    cameras: Annotated[list[str] | None, typer.Option("--camera", help="only this camera; all if none is said")] = None,
    server: Server = None,
    json: JsonFlag = False,
) -> None:
    """Tell what was spent: by operation, camera and day, against the budget, and how it goes on."""
    from rekstream.money import money_in_words  # noqa: PLC0415  # beside its only user

    found = _client(server).money({"since": since, "until": until, "camera": cameras})
    _print_json(found) if json else typer.echo(money_in_words(found))


@app.command()
def report(
    since: Annotated[str, typer.Option(help="24h or 7d (ago), 2026-11-23, or '2026-11-23 08:00'")] = "24h",
    until: Annotated[str, typer.Option(help="as --since")] = "now",
    cameras: Annotated[list[str] | None, typer.Option("--camera", help="only this camera; all if none is said")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="the file to write")] = Path("report.html"),
    data: Data = None,
    database: Database = None,
) -> None:
    """Write what was into one page of HTML, out of the history: audience, attendance, latency, money, what is missing."""
    from rekstream.report.command import Wishes, write_report  # noqa: PLC0415  # needs SQLAlchemy

    settings = _settings(data=data, database=database)
    typer.echo(write_report(settings, Wishes(since, until, tuple(cameras or ()), output)))


@config.command("check")
def config_check(path: Annotated[Path, typer.Argument()] = Path("rekstream.yml")) -> None:
    """Check a rekstream.yml."""
    from rekstream.config import read  # noqa: PLC0415  # beside its only users

    found = read(path, environment())
    typer.echo(f"{path} is right: {len(found.cameras)} cameras ({', '.join(c.id for c in found.cameras) or 'none'})")


@config.command("export")
def config_export(server: Server = None) -> None:
    """Print the cameras of the running system as a rekstream.yml; passwords become variables of the environment."""
    from pipeline.export import export  # noqa: PLC0415  # beside its only users

    typer.echo(export(_client(server).cameras()), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _settings(**given: Any) -> Settings:
    settings = load(**given)
    logs.set_up(settings.log_level)
    return settings


def _with_own_port(settings: Settings) -> Settings:
    """Return the local Rekognition server's settings: the port's default is the dashboard's."""
    if "port" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"port": LOCAL_REKOGNITION_PORT})


def _client(server: str | None) -> Client:
    settings = load(server=server)
    token = settings.token.get_secret_value() if settings.token else None
    return Client(settings.server, token, None if token else settings.dashboard_password())


def _say_where(url: str) -> None:
    """Say where the server answers, on standard output: that of a part of `up` is not shown."""
    typer.echo(f"Rekognition's API is at {url}: give that to boto3 as endpoint_url (Ctrl-C ends it)")


def _stop_on_signals() -> threading.Event:
    return stop_event([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])


def _end_as_on_ctrl_c() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def _print_json(value: Any) -> None:
    import json  # noqa: PLC0415  # the option of that name shadows it elsewhere

    typer.echo(json.dumps(value, indent=2))


def _in_words(error: typer.TyperException) -> str:
    """Return what typer would print below its usage lines."""
    in_full = getattr(error, "format_message", None)
    return str(in_full() if in_full else error)


def _fail(sentence: str) -> int:
    typer.echo(f"error: {sentence}", err=True)
    return 2
