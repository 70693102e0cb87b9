"""Whom the system knows, and whom it watches for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rekstream.commands.common import client, print_json
from rekstream.commands.flags import Consent, JsonFlag, LegalBasis, Server
from rekstream.words import describe_alert, describe_try, describe_watch

app = typer.Typer()
faces = typer.Typer(no_args_is_help=True, help="People that the running system knows by their faces.")
watch = typer.Typer(no_args_is_help=True, help="Whom or what you want to hear of, and where: alerts.")
alerts = typer.Typer(invoke_without_command=True, help="What the watches told.")
app.add_typer(faces, name="faces")
app.add_typer(watch, name="watch")
app.add_typer(alerts, name="alerts")


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

    raise typer.Exit(add_person(client(server), name, pictures, Reason(consent, legal_basis)))


@faces.command("list")
def faces_list(server: Server = None, json: JsonFlag = False) -> None:
    """Name who is known, and who has to be enrolled again."""
    from rekstream.faces import list_people  # noqa: PLC0415  # beside its only users

    found = client(server).people()
    print_json(found) if json else typer.echo(list_people(found))


@faces.command("remove")
def faces_remove(
    name: str,
    face: Annotated[str | None, typer.Option(help="only the face of this id, as `faces list --json` names it")] = None,
    server: Server = None,
) -> None:
    """Take somebody off the list with all their faces, or one face."""
    from rekstream.faces import remove  # noqa: PLC0415  # beside its only users

    typer.echo(remove(client(server), name, face))


@faces.command("import")
def faces_import(folder: Path, consent: Consent = None, legal_basis: LegalBasis = None, server: Server = None) -> None:
    """Add a folder of pictures: a folder for each person, or files with people's names."""
    from rekstream.faces import Reason, import_folder  # noqa: PLC0415  # beside its only users

    raise typer.Exit(import_folder(client(server), folder, Reason(consent, legal_basis)))


@app.command()
def forget(
    name: str,
    picture: Annotated[Path | None, typer.Option(help="search with this picture afterwards, too")] = None,
    server: Server = None,
) -> None:
    """Remove somebody from everywhere, and prove it by searching."""
    from rekstream.faces import forget as forget_person  # noqa: PLC0415  # beside its only users

    raise typer.Exit(forget_person(client(server), name, picture))


@watch.command("add")
def watch_add(
    who: Annotated[str, typer.Argument(help="a person's name, unknown, emotion=HAPPY, label=Dog, budget")],
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
    typer.echo(describe_watch(client(server).add_watch(members)))


@watch.command("list")
def watch_list(server: Server = None, json: JsonFlag = False) -> None:
    """Name the watches, their receivers, and what troubles these."""
    found = client(server).watches()
    print_json(found) if json else typer.echo("\n".join(map(describe_watch, found)) or "there are no watches")


@watch.command("remove")
def watch_remove(watch_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Watch no longer; what of it was not delivered yet is dropped."""
    client(server).remove_watch(watch_id)
    typer.echo(f"{watch_id} is removed")


@watch.command("test")
def watch_test(watch_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Send a test to each receiver of a watch; exit code 1 when one did not take it."""
    found = client(server).test_watch(watch_id)
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
    found = client(server).alerts(limit)
    print_json(found) if json else typer.echo("\n".join(map(describe_alert, found)) or "there are no alerts")


@alerts.command("confirm")
def alerts_confirm(alert_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Say that an alert was right."""
    typer.echo(describe_alert(client(server).judge_alert(alert_id, "confirmed")))


@alerts.command("wrong")
def alerts_wrong(alert_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Say that an alert was wrong."""
    typer.echo(describe_alert(client(server).judge_alert(alert_id, "wrong")))
