"""What the commands share: settings from flags, the running system's API, signals, JSON."""

from __future__ import annotations

import json
import signal
import threading
from typing import Any

import typer

from pipeline import logs
from pipeline.settings import Settings, load
from pipeline.signals import stop_event
from rekstream.client import Client


def settings_of(**given: Any) -> Settings:
    """Return the settings with what was given by flags, and set up logs."""
    settings = load(**given)
    logs.set_up(settings.log_level)
    return settings


def client(server: str | None) -> Client:
    """Return the API of the running system, with the token or password that it wants."""
    settings = load(server=server)
    token = settings.token.get_secret_value() if settings.token else None
    return Client(settings.server, token, None if token else settings.dashboard_password())


def stop_on_signals() -> threading.Event:
    """Return an event that is set when the process shall end."""
    return stop_event([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])


def print_json(value: Any) -> None:
    """Print JSON for other programs."""
    typer.echo(json.dumps(value, indent=2))
