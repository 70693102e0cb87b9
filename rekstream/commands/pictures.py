"""Single pictures, with nothing else running."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from rekstream.commands.common import settings_of
from rekstream.commands.flags import Attributes, Aws, Endpoint, JsonFlag, Region, S3Endpoint

app = typer.Typer()


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
    settings = settings_of(**flags, provider="aws" if aws else None)
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
    settings = settings_of(**flags, provider="aws" if aws else None)
    _end_as_on_ctrl_c()  # what lies in S3 meanwhile is deleted on the way out
    wishes = Wishes(only, repeat, s3, yes, json, csv, plot)
    raise typer.Exit(study_pictures(files, settings, wishes))


def _end_as_on_ctrl_c() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
