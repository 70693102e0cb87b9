"""Flags that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
JsonFlag = Annotated[bool, typer.Option("--json", help="print JSON")]
