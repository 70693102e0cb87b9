"""The job queue, as producers and the API see it: the only place that puts jobs into RQ."""

from __future__ import annotations

import redis
from rq import Queue
from rq.serializers import JSONSerializer

QUEUE = "rekstream"
QUEUE_KEY = f"rq:queue:{QUEUE}"
ANALYZE = "workers.analyze.analyze"
FAILED_JOB_SECONDS = 60
QUEUED_JOB_SECONDS = 3600  # a job that no worker came for; its frame finds another (Mailbox.sweep)


def job_id(camera: str, token: str) -> str:
    """Return the id by which the mailbox's scripts look a waiting job up in RQ's list, which takes no colons."""
    return f"{camera.replace(':', '_')}-{token}"


class JobQueue:
    """Enqueues `analyze(camera, token)` for the workers; JSON only, never pickle."""

    def __init__(self, connection: redis.Redis) -> None:
        self._queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)

    def enqueue(self, camera: str, token: str, *, at_front: bool = False) -> None:
        """Put one job at the end of the queue, or in front of it; raises redis.RedisError."""
        self._queue.enqueue_call(
            ANALYZE,
            args=(camera, token),
            job_id=job_id(camera, token),
            timeout=-1,
            ttl=QUEUED_JOB_SECONDS,
            result_ttl=0,
            failure_ttl=FAILED_JOB_SECONDS,
            description=f"analyze {camera}",
            at_front=at_front,
        )

    def __len__(self) -> int:
        return int(self._queue.count)


class FrontQueue(JobQueue):
    """The job queue, with every job put in front of those that wait."""

    def enqueue(self, camera: str, token: str, *, at_front: bool = True) -> None:
        """Put one job in front of the queue; raises redis.RedisError."""
        super().enqueue(camera, token, at_front=at_front)
