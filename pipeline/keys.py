"""The names of everything we keep in Redis; only what may be lost is kept there."""

from __future__ import annotations

PREFIX = "rekstream:"
_DERIVED = ":"

CAMERAS = f"{PREFIX}cameras"  # hash: id -> Camera as JSON
CAMERAS_VERSION = f"{PREFIX}cameras:version"  # counts the changes of that hash
MAILBOXES = f"{PREFIX}mailboxes"  # set: cameras that have a mailbox
ASKING = f"{PREFIX}asking"  # string: the producer that has fewer cameras than its share
RESULTS = f"{PREFIX}results"  # stream: the results of the last ten minutes
REMOVED = f"{PREFIX}results:removed"  # sorted set: ids of results that were taken out of the stream, as they show a person
SHARED = f"{PREFIX}shared"  # string: what `up` tells processes that join, as JSON
BUDGET = f"{PREFIX}budget"  # hash: start, end, limit and spent of the budget's period
UPLINK = f"{PREFIX}uplink"  # string: median seconds that uploads take now
PEOPLE = f"{PREFIX}people"  # string: what workers have to know to search for people, as JSON; absent: nobody is known
CHECKS = f"{PREFIX}checks"  # list: ids of the sources that are to be checked
ARCHIVE_WAITING = f"{PREFIX}archive:waiting"  # hash: name of a worker -> how many frames wait in it to be archived
ARCHIVE_LOST = f"{PREFIX}archive:lost"  # string: how many of those went with killed workers
HAPPENINGS = f"{PREFIX}happenings"  # channel: what happens with people, for pages that are open


def box(camera: str) -> str:
    """Return the key of the hash that holds a camera's newest sampled frame and its job's token."""
    return f"{PREFIX}box:{camera}"


def again(camera: str) -> str:
    """Return the key of the list of tokens whose worker was lost and whose frames wait for another try."""
    return f"{PREFIX}again:{camera}"


def in_flight(camera: str) -> str:
    """Return the key of the sorted set of taken tokens, scored by deadline."""
    return f"{PREFIX}flight:{camera}"


def counts(camera: str) -> str:
    """Return the key of the hash of a camera's frame counters."""
    return f"{PREFIX}counts:{camera}"


def newest(camera: str) -> str:
    """Return the key of the hash of a camera's newest analysed frame."""
    return f"{PREFIX}newest:{camera}"


def overtaken(camera: str) -> str:
    """Return the key of the hash of a camera's last analysed frame that a newer one was ahead of, for seconds."""
    return f"{PREFIX}overtaken:{camera}"


def preview(camera: str) -> str:
    """Return the channel on which a camera's previews are published; nothing of them is kept."""
    return f"{PREFIX}preview:{camera}"


def fence(camera: str) -> str:
    """Return the key of the number of the newest lease of a camera."""
    return f"{PREFIX}fence:{camera}"


def lease(camera: str) -> str:
    """Return the key that names the producer that has a camera."""
    return f"{PREFIX}lease:{camera}"


def status(camera: str) -> str:
    """Return the key of what the producer last said of a camera."""
    return f"{PREFIX}status:{camera}"


def taken(token: str) -> str:
    """Return the key of the frame that was taken with a token."""
    return f"{PREFIX}taken:{token}"


def done(token: str) -> str:
    """Return the key that remembers how a token was finished."""
    return f"{PREFIX}done:{token}"


def process(role: str, name: str) -> str:
    """Return the key of a process's heartbeat."""
    return f"{PREFIX}process:{role}:{name}"


def rate(scope: str, operation: str) -> str:
    """Return the key of the shared rate limit of one operation in one account or endpoint and region."""
    return f"{PREFIX}rate:{scope}:{operation}"


def requests(topic: str) -> str:
    """Return the key of the list of questions that wait for the process that serves a topic."""
    return f"{PREFIX}requests:{topic}"


def serving(topic: str) -> str:
    """Return the key that says that some process answers a topic's questions."""
    return f"{PREFIX}serving:{topic}"


def owner(role: str) -> str:
    """Return the key that names the one process of a role that serves a system."""
    return f"{PREFIX}owner:{role}"


def request(name: str) -> str:
    """Return the key of one question."""
    return f"{PREFIX}request:{name}"


def reply(name: str) -> str:
    """Return the key of the list that holds its answer."""
    return f"{PREFIX}reply:{name}"


def check(request: str) -> str:
    """Return the key of the URL that is to be checked."""
    return f"{PREFIX}check:{request}"


def checked(request: str) -> str:
    """Return the key of the list that holds what such a check found."""
    return f"{PREFIX}checked:{request}"


def tracks(camera: str) -> str:
    """Return the key of the hash of who is followed at a camera."""
    return f"{PREFIX}tracks:{camera}"


def face(track: str) -> str:
    """Return the key of the hash of the best view so far of a track's face."""
    return f"{PREFIX}face:{track}"


def name(track: str) -> str:
    """Return the key of the person that a track is, while one is known."""
    return f"{PREFIX}name:{track}"


def unknown(track: str) -> str:
    """Return the key of the group of unknown visits that a track belongs to, while it has no name."""
    return f"{PREFIX}unknown:{track}"


def mailbox_of(camera: str, what: str | int) -> str:
    """Return a mailbox derived from a camera: of its labels, or of the track of a number, which is searched."""
    return f"{camera}{_DERIVED}{what}"


def is_derived(mailbox: str) -> bool:
    """Say whether a mailbox is no camera's own; no camera's id has a colon."""
    return _DERIVED in mailbox


def camera_of_mailbox(mailbox: str) -> str:
    """Return the camera of a mailbox: itself, or what stands before the colon of one that was derived from it."""
    return mailbox.partition(_DERIVED)[0]


def labels_mailbox(camera: str) -> str:
    """Return the mailbox of a camera's frames that ask for the labels of the scene."""
    return mailbox_of(camera, "labels")
