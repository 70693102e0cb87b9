"""Every error that people may meet, in one tree.

    RekstreamError                    exit code 2 on the command line
    ├── SettingsError                 a setting, a flag, a line of rekstream.yml     HTTP 422
    ├── CameraError                   a camera that cannot be read as it is named    HTTP 422
    │   ├── UnsupportedSource         no such scheme, no such device, empty folder
    │   ├── CameraUnreachable         nothing listens, or the host is silent
    │   ├── CameraUnauthorized        the camera asks for another user or password
    │   ├── CameraNotFound            the path or file does not exist
    │   └── CameraNotVideo            something answers, but it is not a video
    ├── UnknownCamera                 no camera of that id                            HTTP 404
    ├── CameraExists                  two cameras of one id                           HTTP 409
    ├── PictureError                  a picture that Rekognition would refuse         HTTP 422
    │   └── EnrolmentRefused          a picture that would poison a library of faces
    ├── UnknownPerson                 nobody of that id or name                       HTTP 404
    ├── UnknownTrack                  no face of that track was seen                  HTTP 404
    ├── PersonExists                  two people of one name                          HTTP 409
    ├── UnknownWatch                  no watch of that id                             HTTP 404
    ├── UnknownAlert                  no alert of that id                             HTTP 404
    ├── UnknownFrame                  no picture is kept of that result               HTTP 404
    ├── UnknownShow                   no show of that id                              HTTP 404
    ├── UnknownLaugh                  no laugh of that number in a show               HTTP 404
    ├── PartAway                      a process of the system does not answer         HTTP 503
    │   ├── PeopleAway                that of people
    │   └── HistoryAway               that of the history
    ├── StorageError                  a file of ours cannot be read or written now    HTTP 503
    ├── BrokerError                   Redis does not answer or is not usable          HTTP 503
    ├── ProviderError                 Rekognition cannot be called as configured
    └── PortInUse                     somebody else listens there

A message holds the value, and what to do; `redact` takes passwords out of anything that is about to become a message.
"""

from __future__ import annotations

import re

# A password may hold /, # or @ that should have been encoded: everything up to the last @ before a blank is hidden.
_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^/?#\s@:]*)(?::\S*)?@")
# Some cameras take user and password in the path (user=x_password=y) or by names of their own (loginpas).
_SECRET_QUERY = re.compile(r"(?i)(?P<key>[?&/;_](?:[a-z_]*(?:pas|pwd|token|secret|key|auth)[a-z_]*)=)[^&#\s/]*")


def redact(text: str) -> str:
    """Return `text` with the passwords of its URLs, and secret-looking query values, replaced by ``***``.

    The user stays (``rtsp://admin:***@host/main``): it is what one looks for in a log.
    """
    without_userinfo = _USERINFO.sub(_mask, text)
    return _SECRET_QUERY.sub(r"\g<key>***", without_userinfo)


def _mask(match: re.Match[str]) -> str:
    hidden = ":***@" if ":" in match.group(0)[len(match["scheme"]) :] else "@"
    return f"{match['scheme']}{match['user']}{hidden}"


class RekstreamError(Exception):
    """The root of what this program raises on purpose; its text is one sentence with no password in it."""

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))


class SettingsError(RekstreamError):
    """A setting, a flag or a line of rekstream.yml that cannot be used."""


class CameraError(RekstreamError):
    """A camera that cannot be read the way it was named."""


class UnsupportedSource(CameraError):
    """No such scheme, no such device, or a folder without pictures."""


class CameraUnreachable(CameraError):
    """Nothing listens there, or the host stays silent."""


class CameraUnauthorized(CameraError):
    """The camera asks for another user or password."""


class CameraNotFound(CameraError):
    """The path or the file does not exist."""


class CameraNotVideo(CameraError):
    """Something answers there, but it is no video that can be decoded."""


class UnknownCamera(RekstreamError):
    """There is no camera of that id."""


class CameraExists(RekstreamError):
    """There is a camera of that id already."""


class PictureError(RekstreamError):
    """A picture that Rekognition would refuse."""


class EnrolmentRefused(PictureError):
    """A picture that would poison a library of faces: no face, two of them, small, blurred, or somebody else's."""


class UnknownPerson(RekstreamError):
    """There is nobody of that id or name."""


class UnknownTrack(RekstreamError):
    """No face of that track was seen, or it has no name."""


class PersonExists(RekstreamError):
    """There is somebody of that name already."""


class UnknownWatch(RekstreamError):
    """There is no watch of that id."""


class UnknownAlert(RekstreamError):
    """There is no alert of that id."""


class UnknownFrame(RekstreamError):
    """No picture is kept of that result, or it may not be shown."""


class UnknownShow(RekstreamError):
    """There is no show of that id, or its data are gone."""


class UnknownLaugh(RekstreamError):
    """There is no laugh of that number in a show."""


class PartAway(RekstreamError):
    """A process of the system is not running, or did not answer."""


class PeopleAway(PartAway):
    """The people process is not running, or did not answer."""


class HistoryAway(PartAway):
    """The history process is not running, or did not answer."""


class StorageError(RekstreamError):
    """A file of ours cannot be read or written now."""


class BrokerError(RekstreamError):
    """Redis does not answer, or cannot be used the way it is set up."""


class ProviderError(RekstreamError):
    """Rekognition cannot be called the way it is configured."""


class PortInUse(RekstreamError):
    """Somebody else listens on that port."""
