"""The parts of one dashboard process, wired: what reads, what keeps, what computes."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import redis

from dashboard.browser_camera import SWEEP_SECONDS, BrowserCameras
from dashboard.budget import BUDGET_SECONDS, BudgetKeeper
from dashboard.cameras import CameraDesk
from dashboard.chart_desk import ChartDesk
from dashboard.checks import CheckDesk
from dashboard.collector import registry_of
from dashboard.display import Displays
from dashboard.happenings import HappeningReader
from dashboard.history import SCRAPE_SECONDS
from dashboard.history_watch import LOOK_SECONDS as HISTORY_SECONDS
from dashboard.history_watch import HistoryWatch
from dashboard.keeper import KEEP_SECONDS, Keeper
from dashboard.live import LiveFeed
from dashboard.notices import Level, NoticeBoard
from dashboard.observed import Observer
from dashboard.passwords import Attempts
from dashboard.people import PeopleDesk
from dashboard.photos import Photos
from dashboard.previews import PreviewReader
from dashboard.process_desk import ProcessDesk
from dashboard.rehearsal import LOOK_SECONDS, RehearsalDesk
from dashboard.replays import TEND_SECONDS, Replays
from dashboard.reporter import Reporter
from dashboard.scenes import Scenes
from dashboard.sessions import Sessions
from dashboard.settings import DashboardSettings
from dashboard.state import StateFile
from dashboard.stats import STATS_SECONDS, Stats
from dashboard.stream import ResultStream
from dashboard.viewers import Viewers
from dashboard.what_if import WhatIf
from dashboard.window import MINUTE, ResultWindow
from dashboard.worst import WorstFrames
from pipeline.archive_ledger import COUNT_SECONDS, ArchiveLedger
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.entities import Preview, Purpose, Result
from pipeline.happenings import FORGOTTEN, HappeningListener
from pipeline.jobs import JobQueue
from pipeline.mailbox import Mailbox
from pipeline.metrics import DashboardMetrics
from pipeline.periodic import Periodic
from pipeline.presence import Presence, living
from pipeline.previews import PreviewListener
from pipeline.requests import HISTORY
from pipeline.results import Results
from pipeline.shared import Privacy

log = logging.getLogger(__name__)

CLOCK_SECONDS = 20.0
PRIVACY_SECONDS = 1.0
COVERED_SECONDS = 3.0  # after which all workers have heard of privacy


class Parts:
    """Everything that the routes use; nothing runs before `start`.

    Raises SettingsError when the state file cannot be used, redis.RedisError when Redis does not answer.
    """

    def __init__(self, broker: Broker, settings: DashboardSettings) -> None:
        settings.check()
        self.broker = broker
        self.settings = settings
        self.sessions = Sessions()
        self.attempts = Attempts()
        self.clock = RedisClock(broker.scripts)
        self.results = Results(broker.scripts)
        self.stream = ResultStream(broker.scripts)
        self.window = ResultWindow(self.clock.now)
        self.scenes = Scenes(self.clock.now)
        self.worst = WorstFrames(self.results.picture_of, self.clock.now)
        self.feed = LiveFeed(ResultStream(broker.jobs), self.clock.now, self._take_over, MINUTE)
        self._happenings = HappeningReader(HappeningListener(broker.jobs), self._happened)
        self.rehearsal = RehearsalDesk(settings.provider)
        self.metrics = registry_of(broker, lambda: self.clock.error_seconds)
        self.displays = Displays(self.window, self.clock.now, DashboardMetrics(self.metrics).display_age_seconds)
        self.previews = PreviewReader(PreviewListener(broker.jobs))
        self.viewers = Viewers(self.results.newest_frame, self.previews.watch, self.clock.now)
        self.privacy = Privacy(broker.scripts, told=settings.privacy)
        self.stats = Stats(
            broker,
            settings,
            self.clock,
            self.window,
            self.stream,
            self.displays,
            lambda: self.rehearsal.now,
            lambda: self.privacy.is_on,
        )
        self.what_if = WhatIf(Observer(broker.scripts, settings), settings.provider, self.stats.look, self.window.last_minute)
        self.photos = Photos(broker, self.clock, self.feed, self.stats, settings.provider)
        self.people = PeopleDesk(broker)
        self.history = ProcessDesk(broker, HISTORY)
        self.state = StateFile(settings.data)
        self.keeper = Keeper(broker.scripts, self.state, settings.given)
        self.desk = CameraDesk(
            broker.scripts, Mailbox(broker.scripts, JobQueue(broker.jobs)), self.keeper, settings.camera_defaults, self.scenes
        )
        self.checks = CheckDesk(broker)
        self.browser_cameras = BrowserCameras(broker, self.clock, settings.camera_defaults, privacy=settings.privacy)
        self.replays = Replays(broker, self.browser_cameras, self.clock, self.privacy, self.feed.publish, self.viewers.hear)
        self.notices = NoticeBoard(self.clock.now, self.feed.publish)
        self._history_watch = HistoryWatch(self.notices)
        self._archive_ledger = ArchiveLedger(broker.scripts)
        price = settings.provider.dollars_per_call()
        self._reporter = Reporter(self.notices, self.clock.now, price, broker.address)
        self.charts = ChartDesk(broker, self.clock, self.metrics, settings.prometheus)
        self._shown: dict[str, dict[str, Any]] = {}
        self._covered_at = 0.0
        self._chores = self._make_chores()
        self._presence: Presence | None = None

    def start(self) -> None:
        """Put back what Redis lacks, then begin to read and to keep."""
        with contextlib.suppress(redis.RedisError):
            self.privacy.look()
            self.keeper.look()
        self.worst.start()
        self.feed.start()
        self._happenings.start()
        self.previews.start(self._show)
        for chore in self._chores:
            chore.start()

    def announce(self, address: str) -> None:
        """Let others find this process's /metrics at `address` (HOST:PORT)."""
        self._presence = Presence(self.broker.scripts, "dashboard", self.settings.version, address)
        self._presence.start()

    def stop(self) -> None:
        """End every thread and close the state file, once no more requests come."""
        self.browser_cameras.close()
        self.feed.stop()
        self._happenings.stop()
        self.worst.stop()
        self.previews.stop()
        for chore in self._chores:
            chore.stop()
        if self._presence is not None:
            self._presence.stop()
        self.rehearsal.close()
        self.charts.close()
        self.state.close()

    def _happened(self, kind: str, what: Mapping[str, Any]) -> None:
        """Let pages know what happened with people; what is kept here of somebody who was forgotten goes."""
        if kind == FORGOTTEN:
            self.worst.forget((), [str(track) for track in what.get("tracks") or ()])
        else:
            self.feed.publish(kind, what)

    def _show(self, preview: Preview) -> None:
        """Let viewers have a preview; in privacy none should come, and none is shown."""
        if not self.privacy.is_on:
            self.viewers.show(preview)

    def _look_at_privacy(self) -> None:
        """Learn whether faces are to be covered; pictures from before that are kept no longer."""
        was_on = self.privacy.is_on
        self.privacy.look()
        if self.privacy.is_on and not was_on:
            self._covered_at = time.monotonic() + COVERED_SECONDS
        if time.monotonic() < self._covered_at:
            self.worst.forget_pictures()

    def _make_chores(self) -> list[Periodic]:
        chores = [
            _chore("keeper", KEEP_SECONDS, self.keeper.look),
            _chore("tell", STATS_SECONDS, self._tell),
            _chore("settle", STATS_SECONDS, self.desk.settle),
            _chore("rehearsal", LOOK_SECONDS, self.rehearsal.look),
            _chore("browsers", SWEEP_SECONDS, self.browser_cameras.sweep),
            _chore("replays", TEND_SECONDS, self.replays.tend),
            _chore("privacy", PRIVACY_SECONDS, self._look_at_privacy),
            _chore("clock", CLOCK_SECONDS, self.clock.synchronise),
            _chore("scrape", SCRAPE_SECONDS, self.charts.scrape),
            _chore("archive", COUNT_SECONDS, self._look_at_archive),
            _chore("history", HISTORY_SECONDS, lambda: self._history_watch.look(living(self.broker.scripts, "history"))),
        ]
        budget = self.settings.budget
        if budget is not None and self.settings.provider.paid:
            most = self.settings.provider.most_dollars_per_second()
            keeper = BudgetKeeper(self.broker.scripts, self.state, self.clock, budget, most)
            chores.append(_chore("budget", BUDGET_SECONDS, keeper.look))
        return chores

    def _look_at_archive(self) -> None:
        """Count and tell what killed workers took along that was still to be archived."""
        for count in self._archive_ledger.count_lost().values():
            what = "1 frame was" if count == 1 else f"{count} frames were"
            self.notices.tell(Level.WARN, "archive", f"about {what} not archived: the worker in which they waited was killed")

    def _take_over(self, results: list[Result]) -> None:
        self.window.add(results)
        self.worst.add(results)
        self.scenes.add(results)
        self.viewers.hear(results)

    def _tell(self) -> None:
        """Tell all listeners what happened, the figures, and the cameras that are new, changed or gone."""
        self.worst.expire()
        try:
            stats = self.stats.note()
            cameras = {camera["id"]: camera for camera in self.desk.all()}
        except redis.RedisError:
            self._reporter.redis_is_away()
            raise
        self.worst.keep_only(cameras)
        self.worst.forget_pictures([name for name, camera in cameras.items() if not Purpose(camera["purpose"]).keeps_pictures])
        self.displays.keep_only(cameras)
        self.scenes.keep_only(cameras)
        self._reporter.look(stats, cameras.values())
        self.feed.publish("stats", stats)
        for camera_id in self._shown.keys() - cameras.keys():
            self.feed.publish("camera", {"id": camera_id, "removed": True})
        for camera_id, camera in cameras.items():
            if self._shown.get(camera_id) != camera:
                self.feed.publish("camera", camera)
        self._shown = cameras
        self.viewers.know(cameras)


def _chore(name: str, seconds: float, action: Callable[[], object]) -> Periodic:
    def failed(error: Exception) -> None:
        if isinstance(error, redis.RedisError):
            log.debug("%s: %s", name, error)
        else:
            log.error("%s failed", name, exc_info=error)

    def act() -> None:
        action()

    return Periodic(name, seconds, act, failed)
