"""RQ's worker as a thread: every private hook of RQ that this project leans on stands in this file.

What RQ 3 does by itself, and why it does not fit (tests/workers/test_pool.py fails when a release changes the hooks):

- it waits 405 s in its dequeue and never looks at a stop flag there: `dequeue_job_and_maintain_ttl` waits 1 s, and looks;
- it kills late jobs by SIGALRM, which only a main thread has, and asks before each whether it is suspended: not here;
- it listens on pub/sub for commands, a second thread and connection each, through which anybody could stop jobs: not here;
- its books of started, finished and failed jobs take a dozen round trips a job, and their clean-up runs callbacks of foreign
  jobs and takes 10 minutes: a job is struck off before it runs, and lost ones are the mailbox's to find (`Mailbox.sweep`);
- it runs any importable function that somebody wrote into Redis: only ours is run here, with nothing attached to it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job
from rq.serializers import JSONSerializer

from pipeline.jobs import ANALYZE, QUEUE

log = logging.getLogger(__name__)

DEQUEUE_SECONDS = 1
HEARTBEAT_SECONDS = 5.0
WORKER_TTL_SECONDS = 30
_INTERMEDIATE_KEEP = 1000


class ThreadWorker(SimpleWorker):
    """One of many RQ workers in a process; `work_until` ends within a second of `stop`."""

    should_run_maintenance_tasks = False
    dequeue_timeout = DEQUEUE_SECONDS  # RQ sets the pool's socket time-out to ten seconds more

    def __init__(self, connection: redis.Redis, name: str, stop: threading.Event, on_refused: Callable[[], None]) -> None:
        queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
        super().__init__(
            [queue],
            name=name,
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_SECONDS,
            log_job_description=False,
        )
        self._stop = stop
        self._on_refused = on_refused
        self._beat_at = 0.0

    def work_until_stopped(self) -> None:
        """Run jobs until the stop flag is set, or Redis goes away."""
        self.work(logging_level="CRITICAL")

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Take a job off RQ's books, and run it if it is ours."""
        self._strike_off(job, queue)
        if is_ours(job):
            job.perform()
        else:
            log.warning("job %s on the queue is not ours and was not run: who else writes into this Redis?", job.id)
            self._on_refused()

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Renew RQ's own record of this worker, at most every HEARTBEAT_SECONDS."""
        if pipeline is not None or time.monotonic() - self._beat_at > HEARTBEAT_SECONDS:
            self._beat_at = time.monotonic()
            super().heartbeat(timeout, pipeline)

    def dequeue_job_and_maintain_ttl(
        self,
        timeout: int | None,  # noqa: ARG002  # RQ's signature; the wait is always DEQUEUE_SECONDS
        max_idle_time: int | None = None,  # noqa: ARG002  # RQ's signature; no worker is idle for too long
    ) -> tuple[Job, Queue] | None:
        """Wait for the next job, a second at a time; None ends the worker."""
        while not self._stop.is_set():
            self.heartbeat()
            try:
                found: tuple[Job, Queue] | None = self.queue_class.dequeue_any(
                    self._ordered_queues,
                    DEQUEUE_SECONDS,
                    connection=self.connection,
                    job_class=self.job_class,
                    serializer=self.serializer,
                    death_penalty_class=self.death_penalty_class,
                )
            except DequeueTimeout:
                continue
            return found
        return None

    def check_for_suspension(self, burst: bool) -> None:  # RQ's signature
        """Ask Redis nothing before each job: cameras are paused, not workers."""

    def subscribe(self) -> None:
        """Listen to no commands."""

    def unsubscribe(self) -> None:
        """Have nothing to end."""

    def procline(self, message: str) -> None:
        """Leave the process's title alone: it is everybody's."""

    def _install_signal_handlers(self) -> None:
        """Leave the signals to the main thread."""

    def _strike_off(self, job: Job, queue: Queue) -> None:
        pipeline: Any = self.connection.pipeline(transaction=False)
        pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
        pipeline.delete(job.key)
        pipeline.execute()


def is_ours(job: Job) -> bool:
    """Say whether a job is `analyze(camera, token)` and nothing else hangs on it."""
    try:
        plain = all(isinstance(value, str) for value in job.args) and len(job.args) == 2 and not job.kwargs  # noqa: PLR2004  # camera and token
        attached = (
            job._success_callback_name or job._failure_callback_name or job._stopped_callback_name,
            job.webhooks,
            job.retries_left,
            job.repeats_left,
            job.dependency_ids,
            job.instance,
        )
        return job.func_name == ANALYZE and plain and not any(attached)
    except Exception:  # whatever a foreign job makes RQ raise, it is foreign
        return False


def forget_ghosts(connection: redis.Redis) -> None:
    """Take killed workers and their jobs off RQ's books, which nobody else does here."""
    client: Any = connection
    client.ltrim(f"rq:queue:{QUEUE}:intermediate", -_INTERMEDIATE_KEEP, -1)
    for key in client.smembers("rq:workers"):
        if not client.exists(key):
            client.srem("rq:workers", key)
            client.srem(f"rq:workers:{QUEUE}", key)
