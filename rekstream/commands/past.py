"""What was: the history as files, reports, money, shows, and archived pictures again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from rekstream.commands.common import client, print_json, settings_of, stop_on_signals
from rekstream.commands.flags import Aws, Data, Database, JsonFlag, Region, S3Endpoint, Server

app = typer.Typer()
show = typer.Typer(no_args_is_help=True, help="Shows: laughs counted from a start to a stop, with a receipt.")
app.add_typer(show, name="show")


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

    told = history_files.export(settings_of(data=data, database=database), since, until, tuple(camera_ids or ()), form, output)
    typer.echo(told, err=True)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="a new file")], data: Data = None, database: Database = None) -> None:
    """Write the whole history into one file, also while it is written to; restore puts it into either kind of database."""
    from rekstream import history_files  # noqa: PLC0415  # only these commands need SQLAlchemy

    typer.echo(history_files.backup(settings_of(data=data, database=database), file))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="what backup wrote")],
    replace: Annotated[bool, typer.Option("--replace", help="let the history that is there go")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Put a backup back, while no rekstream runs with this history."""
    from rekstream import history_files  # noqa: PLC0415  # only these commands need SQLAlchemy

    typer.echo(history_files.restore(settings_of(data=data, database=database), file, replace=replace))


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

    settings = settings_of(data=data, database=database)
    typer.echo(write_report(settings, Wishes(since, until, tuple(cameras or ()), output)))


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

    settings = settings_of(s3_endpoint_url=s3_endpoint_url, region=region, provider="aws" if aws else None)
    now = time.time()
    span = Span(moment(since, now) if since else 0.0, moment(until, now) if until else now, tuple(cameras or ()), speed)
    raise typer.Exit(show_again(place, settings, client(server), span, stop_on_signals()))


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

    found = client(server).money({"since": since, "until": until, "camera": cameras})
    print_json(found) if json else typer.echo(money_in_words(found))


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
    typer.echo(describe_show(client(server).start_show(members)))


@show.command("stop")
def show_stop(show_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None, json: JsonFlag = False) -> None:
    """Stop a show and print its receipt."""
    from rekstream.shows import receipt_in_words  # noqa: PLC0415  # beside its only users

    found = client(server).stop_show(show_id)
    print_json(found) if json else typer.echo(receipt_in_words(found))


@show.command("list")
def show_list(server: Server = None, json: JsonFlag = False) -> None:
    """Name the shows, the newest first."""
    from rekstream.shows import describe_show  # noqa: PLC0415  # beside its only users

    found = client(server).shows()
    print_json(found) if json else typer.echo("\n".join(map(describe_show, found)) or "there are no shows")


@show.command("receipt")
def show_receipt(show_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None, json: JsonFlag = False) -> None:
    """Print the receipt of a show as it is now."""
    from rekstream.shows import receipt_in_words  # noqa: PLC0415  # beside its only users

    found = client(server).receipt(show_id)
    print_json(found) if json else typer.echo(receipt_in_words(found))
