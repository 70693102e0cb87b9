"""One `rekstream up`, from its flags to its last line: what to start, what to say before, what to show, what to write."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console

from dashboard.state import remembered
from pipeline import logs
from pipeline.archive import ArchiveSettings
from pipeline.entities import Camera
from pipeline.errors import SettingsError, redact
from pipeline.provider import Provider
from pipeline.settings import Settings, environment, load
from pipeline.spending import Budget
from producer.sources import kind_of, open_source
from rekstream.config import FILE_NAME, Config, read
from rekstream.output import ResultFile
from rekstream.table import LiveTable
from rekstream.up import ConfigWatch, Plan, StoppedError, System, cameras_of, keep_running
from workers.rekognition import account_of

SECONDS_AN_HOUR = 3600


def find_config(named: Path | None) -> Path | None:
    """Return the rekstream.yml to use: the one that is named, or that of this folder if there is one."""
    here = Path(FILE_NAME)
    return named or (here if here.exists() else None)


class Session:
    """A start of the whole system; `given` are the flags by the names of the settings, None where not said."""

    def __init__(self, sources: Sequence[str], path: Path | None, given: Mapping[str, Any], output: Path | None) -> None:
        self._sources = sources
        self._path = path
        self._given = {name: value for name, value in given.items() if value is not None}
        self._output = output
        self._console = Console(stderr=True, highlight=False)

    def run(self, stop: threading.Event, seconds: float | None) -> None:
        """Start, show, stop; raises RekstreamError when something has to be put right first."""
        plan = self._plan()
        self._say_what_it_costs(plan)
        results = ResultFile(self._output) if self._output else None
        system = System(plan, self._say, stop)
        try:
            system.start()
            if results:
                results.begin(system.results_before)
            self._show_demo_if_nothing_else(system)
            self._greet(system)
            with LiveTable(self._console, system.client(), plan.provider) as table:
                keep_running(system, self._watch(plan), lambda: self._round(system, table, results), stop, seconds)
            self._console.print("stopping …", style="dim")
        except StoppedError:
            self._console.print("stopping …", style="dim")
        finally:
            system.stop_producing()
            if results:
                results.finish(system.broker)
            system.stop()

    def _plan(self) -> Plan:
        config = read(self._path, environment(), self._given) if self._path else None
        settings = load(**{**(config.settings if config else {}), **self._given})
        logs.set_up(settings.log_level)
        provider = Provider.of(settings)
        if provider.paid:
            provider = Provider.of(settings, account=account_of(provider))
        Budget.parse(settings.budget)
        ArchiveSettings.of(settings)  # what is wrong with it is told before anything starts
        if settings.dashboard_password() and not settings.token:
            settings = settings.model_copy(update={"token": SecretStr(secrets.token_urlsafe())})  # for this process itself
        cameras = cameras_of(self._sources, settings) if self._sources else config.cameras if config else ()
        for camera in cameras:
            _check_it_exists(camera)
        return Plan(settings, provider, cameras, config)

    def _say_what_it_costs(self, plan: Plan) -> None:
        if not plan.provider.paid:
            return
        if not self._cameras_that_will_be_paid(plan):
            raise SettingsError(
                "no camera is named, and with --aws the demo is not shown: say which camera, for example rtsp://…"
            )
        settings, cameras = plan.settings, self._cameras_that_will_be_paid(plan)
        calls = min(sum(camera.fps for camera in cameras), plan.provider.calls_per_second("DetectFaces"))
        calls += sum(1 / camera.labels for camera in cameras if camera.labels)
        dollars = calls * SECONDS_AN_HOUR * plan.provider.dollars_per_call()
        self._console.print(
            f"AWS account {plan.provider.account}, {plan.provider.region}, at most "
            f"{plan.provider.calls_per_second('DetectFaces'):g} calls a second: {_rates(cameras)} = "
            f"{dollars:.2f} dollars an hour at most, plus a search for each person who comes once people are enrolled, "
            f"and never more than the budget of {settings.budget}",
            style="bold yellow",
        )

    def _greet(self, system: System) -> None:
        self._console.print(f"API          {system.dashboard}   (figures {system.dashboard}/api/stats)")
        self._console.print(f"Redis        {redact(system.redis_url)}", soft_wrap=True)
        self._console.print(f"answered by  {_who(system.plan.provider)}", soft_wrap=True)
        self._console.print("Ctrl-C stops everything", style="dim")

    def _show_demo_if_nothing_else(self, system: System) -> None:
        if not system.plan.cameras and not system.plan.config and not system.client().cameras():
            system.give(cameras_of(["demo"], system.plan.settings))

    def _cameras_that_will_be_paid(self, plan: Plan) -> list[Camera]:
        """Return all that would be analysed: those given now, and those that the state file remembers."""
        given = {camera.id: camera for camera in plan.cameras}
        return [camera for camera in ({**remembered(plan.settings.data), **given}).values() if not camera.paused]

    def _watch(self, plan: Plan) -> ConfigWatch | None:
        path = self._path
        if path is None or self._sources:
            return None
        return ConfigWatch(path, lambda: self._reread(path, plan.settings), self._say)

    def _reread(self, path: Path, settings: Settings) -> Config:
        config = read(path, environment(), self._given)
        for camera in config.cameras:
            _check_it_exists(camera)
        changed = [name for name, value in config.settings.items() if _differs(settings, name, value, self._given)]
        if changed:
            self._say("config", f"{', '.join(changed)} changed in {path}: that takes a restart; cameras are taken over now")
        return config

    def _round(self, system: System, table: LiveTable, results: ResultFile | None) -> bool:
        """Show and write what is new; False when everything that could come has come."""
        table.refresh()
        if results is None:
            return True
        results.write_new(system.broker)
        return not table.all_ended

    def _say(self, who: str, what: str) -> None:
        self._console.print(redact(f"{who}: {what}"), style="yellow", markup=False, soft_wrap=True)


def _check_it_exists(camera: Camera) -> None:
    """Open what lies on this machine and can be opened at once; a camera on the network may come later."""
    if kind_of(camera.url).ends:
        open_source(camera).close()


def _differs(settings: Settings, name: str, value: Any, given: Mapping[str, Any]) -> bool:
    try:
        return name not in given and getattr(load(**{name: value}), name) != getattr(settings, name)
    except SettingsError:
        return True


def _who(provider: Provider) -> str:
    if provider.name == "local":
        return "open models on this machine: nothing is sent anywhere, nothing is paid"
    return f"{redact(provider.label)}" + ("" if provider.paid else ": not AWS, nothing is paid")


def _rates(cameras: Sequence[Camera]) -> str:
    """Return ``8 cameras x 1/s``, or the sum where they differ."""
    count = f"{len(cameras)} camera{'' if len(cameras) == 1 else 's'}"
    rates = {camera.fps for camera in cameras}
    return f"{count} x {rates.pop():g}/s" if len(rates) == 1 else f"{count}, {sum(c.fps for c in cameras):g}/s in all"
