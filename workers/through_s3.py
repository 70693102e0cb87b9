"""Pictures that DetectFaces reads from S3 (`send: s3`): put there first, then named in the request.

They lie below ``.sent/`` of the archive until the result is out: the archiver copies them to their place, within S3, and
takes them away. Where a picture cannot be put, or not be read from there, pictures go as bytes for a while.
"""

from __future__ import annotations

import logging
import threading
import time

from pipeline.archive import PICTURE, ArchiveError
from pipeline.archive_s3 import SENT, S3Archive
from pipeline.entities import S3Object

log = logging.getLogger(__name__)

BYTES_SECONDS = 30.0
UNREADABLE = "InvalidS3ObjectException"


class ThroughS3:
    """Puts pictures into the archive's bucket; safe for several threads."""

    def __init__(self, archive: S3Archive) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._bytes_until = 0.0

    def put(self, token: str, jpeg: bytes) -> S3Object | None:
        """Put the picture of a job, and return where it lies; None where it has to go as bytes."""
        if time.monotonic() < self._bytes_until:
            return None
        try:
            return S3Object(self._archive.bucket, self._archive.put(f"{SENT}{token}{PICTURE}", jpeg))
        except ArchiveError as error:
            self.failed(str(error))
            return None

    def failed(self, why: str) -> None:
        """Let pictures go as bytes for BYTES_SECONDS, and say why."""
        with self._lock:
            is_known = time.monotonic() < self._bytes_until
            self._bytes_until = time.monotonic() + BYTES_SECONDS
        if not is_known:
            log.warning("pictures go to Rekognition as bytes for %g s, not by way of S3: %s", BYTES_SECONDS, why)

    def take_back(self, place: S3Object) -> None:
        """Delete a picture that is not archived; what cannot be deleted now goes with the next sweep."""
        try:
            self._archive.delete_sent(place.name)
        except ArchiveError as error:
            log.debug("%s stays for a while: %s", place, error)

    def close(self) -> None:
        """Close the connections."""
        self._archive.close()
