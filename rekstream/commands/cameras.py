"""Cameras of the running system, and the file that lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.settings import environment
from rekstream.client import describe_camera
from rekstream.commands.common import client, print_json, settings_of
from rekstream.commands.flags import Attributes, Fps, GateChoice, JsonFlag, Labels, Purpose, Schedule, Server, SmallestFace

app = typer.Typer()
camera = typer.Typer(no_args_is_help=True, help="Cameras of the running system, and checking one before it is added.")
config = typer.Typer(no_args_is_help=True, help="The file rekstream.yml.")
app.add_typer(camera, name="camera")
app.add_typer(config, name="config")


@camera.command("list")
def camera_list(server: Server = None, json: JsonFlag = False) -> None:
    """Name the cameras and how they are."""
    found = client(server).cameras()
    print_json(found) if json else typer.echo("\n".join(map(describe_camera, found)) or "there are no cameras")


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
    typer.echo(describe_camera(client(server).add_camera(members)))


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
    typer.echo(describe_camera(client(server).change_camera(camera_id, members)))


@camera.command("remove")
def camera_remove(camera_id: Annotated[str, typer.Argument(metavar="ID")], server: Server = None) -> None:
    """Take a camera off the running system."""
    client(server).remove_camera(camera_id)
    typer.echo(f"{camera_id} is removed")


@camera.command("check")
def camera_check(url: str) -> None:
    """Open a source and say in one sentence what it is, or what is wrong with it and what to do."""
    from rekstream.check import check_camera  # noqa: PLC0415  # needs PyAV and onnxruntime

    settings = settings_of()
    typer.echo(check_camera(url, settings))


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

    typer.echo(export(client(server).cameras()), nl=False)
