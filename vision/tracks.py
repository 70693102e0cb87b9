"""Who is who from one frame to the next: boxes are followed over time, and where boxes leave a doubt, likeness decides.

Pure: the scene so far and the boxes of one frame in, the scene after it and each box's track out. It is asked 0.5 to 25 times
a second, so nothing is counted in frames: all is in seconds, and in heights of the face, whatever its size in the picture.

    clear     a box near where a track's movement leads, and no other box or track near: nobody's face is looked at
    doubtful  people who cross, a box far from where its track was: faces are compared, the least total cost decides
    back      a box near no track, while somebody is missing: the same track only where the faces surely are one person's

A frame that a newer one overtook is only looked at: its boxes get the tracks that were there then, and move nothing.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from vision.assignment import best_pairs
from vision.embedding import distance_at
from vision.entities import Box

FORGET_SECONDS, FORGET_FRAMES = 10.0, 3.0
"""A track that was not seen for so long, in seconds and in frames, has ended: who comes back later begins another one."""

MOST_TRACKS = 200

Unlikeness: TypeAlias = Callable[[int, int], float | None]
"""The distance (`embedding.distance`) of a face of the frame, by its place, from a track, by its number; None: not known."""

Pairs: TypeAlias = dict[tuple[int, int], float]
"""Cost in heights of the face, by the track's number and the box's place."""

_ALIKE, _SAME = distance_at(80), distance_at(99)
_EPOCH = 1_735_689_600  # 2025: numbers are at least the tenths of seconds since then, so a server that was emptied, or
_A_SECOND = 10  # a state that expired, gives none out again while a camera has not ten new faces a second for long
_DAMPING = 1.5  # seconds after which somebody is not expected to walk on as before
_SMOOTHING = 0.25  # seconds of movement that a speed is an average of
_FASTEST = 12.0  # heights a second; who walks by makes 6 to 8
_CLOSE_UP = 1.4  # logarithm of how much larger a face may become: fourfold
_GROWTH = 1.0  # heights that a change of size by the factor e counts as
_USUAL_SECONDS = 1.5  # within which nobody else gets to where somebody was; after it faces are compared
_UNSEEN_SECONDS = 2.5  # within which a box is still believed whose face should be compared, and cannot be
_CLOCK_STEP = 60.0  # seconds: a scene further ahead is from before a step of the clock
_MISSED_SECONDS = 0.8  # for which a face may be overlooked, and still be believed to be the same when it is seen again
_UNSEEN = 4.0  # heights that a box may be off whose face cannot be compared
_MARGIN = 1.0  # heights by which every other pair has to be worse than a clear one
_BACK_MARGIN = 0.5  # the same for frames that were overtaken, where a wrong track would be worse than none
_LIKENESS = 12.0  # heights that a distance of 1 between faces counts as


@dataclass(frozen=True, slots=True)
class Track:
    """One person seen at one camera: where and when last, and how it moved there.

    `velocity` is the middle's, in fractions of width and height a second; `before` is where it was at `before_at`, the time
    before last. `kept`, `kept_at` and `searched_at` are the caller's: the weight and time of the best view it kept, and when it
    last searched for it; 0 where it did not.
    """

    number: int
    box: Box
    seen_at: float
    since: float
    views: int = 1
    velocity: tuple[float, float] = (0.0, 0.0)
    before: tuple[float, float] = (0.0, 0.0)
    before_at: float = 0.0
    kept: float = 0.0
    kept_at: float = 0.0
    searched_at: float = 0.0

    def middle_at(self, at: float) -> tuple[float, float]:
        """Return where its middle should be: later, walking on, but not for ever; earlier, between the last two places."""
        x, y = _middle(self.box)
        if at >= self.seen_at:
            ahead = _DAMPING * (1 - math.exp((self.seen_at - at) / _DAMPING))
            return x + self.velocity[0] * ahead, y + self.velocity[1] * ahead
        if not self.before_at < self.seen_at:
            return x, y
        back = min(2.0, (self.seen_at - at) / (self.seen_at - self.before_at))  # further back it is not known any more
        return x + (self.before[0] - x) * back, y + (self.before[1] - y) * back

    def moved(self, box: Box, at: float, aspect: float) -> "Track":
        """Return the track after it was seen again."""
        seconds, before = max(1e-3, at - self.seen_at), _middle(self.box)
        trust = 1 - math.exp(-seconds / _SMOOTHING)
        speed = [
            old * (1 - trust) + (new - was) / seconds * trust
            for old, new, was in zip(self.velocity, _middle(box), before, strict=True)
        ]
        slower = min(1.0, _FASTEST * box.height / max(1e-9, math.hypot(speed[0] * aspect, speed[1])))
        velocity = speed[0] * slower, speed[1] * slower
        return replace(
            self, box=box, seen_at=at, views=self.views + 1, velocity=velocity, before=before, before_at=self.seen_at
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """The tracks of one camera by number, as of its newest frame."""

    at: float = 0.0
    tracks: Mapping[int, Track] = field(default_factory=dict)

    def with_tracks(self, tracks: Iterable[Track]) -> "Scene":
        """Return the scene with these tracks in place of what it knew of them."""
        return replace(self, tracks={**self.tracks, **{track.number: track for track in tracks}})

    def as_json(self) -> dict[str, Any]:
        """Return the scene as plain lists and numbers; `of_json` is the way back."""
        return {"at": self.at, "tracks": [_row(track) for track in self.tracks.values()]}

    @classmethod
    def of_json(cls, members: Mapping[str, Any]) -> "Scene":
        """Return the scene that `as_json` told; raises TypeError, KeyError or ValueError for anything else."""
        tracks = [_track(row) for row in members["tracks"]]
        return cls(float(members["at"]), {track.number: track for track in tracks})


@dataclass(frozen=True, slots=True)
class Followed:
    """The scene after a frame, and the number of each box's track; None for a box of an overtaken frame that is nobody's."""

    scene: Scene
    numbers: tuple[int | None, ...]
    is_overtaken: bool = False


def nobody_knows(_face: int, _track: int) -> None:
    """Be an `Unlikeness` where no face is looked at: boxes alone decide."""


def follow(
    scene: Scene,
    boxes: Sequence[Box],
    at: float,
    aspect: float = 16 / 9,
    unlikeness: Unlikeness = nobody_knows,
    interval: float = 1.0,
) -> Followed:
    """Say whose the boxes of a frame are, which was taken `at` seconds; `aspect` is its width over its height.

    `interval` is how many seconds usually lie between two frames. Where boxes leave a doubt `unlikeness` is asked, and nowhere
    else: what it does may be slow.
    """
    if scene.at - _CLOCK_STEP <= at < scene.at:
        return Followed(scene, _looked_back(scene, boxes, at, aspect), is_overtaken=True)
    since = at - max(FORGET_SECONDS, FORGET_FRAMES * interval)
    tracks = {number: track for number, track in scene.tracks.items() if since <= track.seen_at <= at}
    costs = _possible(tracks, boxes, at, aspect)
    owners = _clear(costs, {number: _believed(track, scene.at, at) for number, track in tracks.items()})
    unseen = {number for number in tracks if unlikeness is nobody_knows or at - tracks[number].seen_at <= _UNSEEN_SECONDS}
    owners |= _by_likeness(_without(costs, owners), unlikeness, unseen)
    owners |= _back(tracks, owners, len(boxes), unlikeness)
    seen = [tracks[owners[place]].moved(box, at, aspect) if place in owners else None for place, box in enumerate(boxes)]
    fresh = max([_number_of(at) - 1, *scene.tracks])
    for place, box in enumerate(boxes):
        if seen[place] is None:
            fresh += 1
            seen[place] = Track(fresh, box, seen_at=at, since=at)
    known = [track for track in seen if track is not None]
    kept = sorted({**tracks, **{track.number: track for track in known}}.values(), key=lambda track: track.seen_at)
    after = Scene(at, {track.number: track for track in kept[-max(MOST_TRACKS, len(boxes)) :]})
    return Followed(after, tuple(track.number for track in known))


def _possible(tracks: Mapping[int, Track], boxes: Sequence[Box], at: float, aspect: float) -> Pairs:
    """Return what each pair costs that could be one person, at the speed of somebody who runs, or who comes up close."""
    costs: Pairs = {}
    for number, track in tracks.items():
        seconds = abs(at - track.seen_at)
        x0, y0 = track.middle_at(at)
        reach = min(_FASTEST, 0.8 + 6 * seconds)
        for place, box in enumerate(boxes):
            x, y = _middle(box)
            height = max(1e-9, (box.height + track.box.height) / 2)
            apart = math.hypot((x - x0) * aspect, y - y0) / height
            growth = abs(math.log(max(1e-9, box.height) / max(1e-9, track.box.height)))
            most = _CLOSE_UP if _around(box, track.box) else min(_CLOSE_UP, 0.4 + 0.8 * seconds)
            if apart <= reach and growth <= most:
                costs[number, place] = apart + _GROWTH * growth
    return costs


def _clear(costs: Pairs, believed: Mapping[int, float]) -> dict[int, int]:
    """Return the track of each box that no other track, and whose track no other box, comes near; by and by there are more."""
    owners: dict[int, int] = {}
    left = dict(costs)
    while left:
        found = {
            place: number
            for (number, place), cost in left.items()
            if cost <= believed[number] and _stands_out(left, number, place, _MARGIN)
        }
        if not found:
            break
        owners |= found
        left = _without(left, owners)
    return owners


def _believed(track: Track, newest: float, at: float) -> float:
    """Return by how many heights a box may be off from where its track should be, none when the track was lost meanwhile."""
    seconds = at - track.seen_at
    is_lost = seconds > _USUAL_SECONDS or (track.seen_at < newest and seconds > _MISSED_SECONDS)
    return -1.0 if is_lost else _off_after(seconds)


def _off_after(seconds: float) -> float:
    return min(3.0, 0.8 + 2.2 * seconds)


def _stands_out(costs: Pairs, number: int, place: int, margin: float) -> bool:
    """Say whether every other pair of this track or this box costs clearly more."""
    limit = costs[number, place] + margin
    rivals = (cost for pair, cost in costs.items() if (pair[0] == number) != (pair[1] == place))
    return all(cost > limit for cost in rivals)


def _by_likeness(costs: Pairs, unlikeness: Unlikeness, unseen: Set[int]) -> dict[int, int]:
    """Return the track of each doubtful box, by least cost in total; a face that is another person's is never taken.

    `unseen` are the tracks whose boxes are believed where the faces cannot be compared.
    """
    told: Pairs = {}
    for (number, place), cost in costs.items():
        apart = unlikeness(place, number)
        if apart is None and number in unseen and cost <= _UNSEEN:
            told[number, place] = cost + _LIKENESS * _ALIKE / 2  # as if it were neither like nor unlike
        elif apart is not None and apart <= _ALIKE:
            told[number, place] = cost / 4 + _LIKENESS * apart
    return {place: number for number, place in best_pairs(told, alone=_FASTEST).items()}


def _back(tracks: Mapping[int, Track], owners: Mapping[int, int], boxes: int, unlikeness: Unlikeness) -> dict[int, int]:
    """Return the track of each box of a person who was away for some seconds, and may be back anywhere."""
    missing = tracks.keys() - set(owners.values())
    alike = {
        (number, place): apart
        for place in range(boxes)
        if place not in owners
        for number in missing
        if (apart := unlikeness(place, number)) is not None and apart <= _SAME
    }
    return {place: number for number, place in best_pairs(alike, alone=1.0).items()}


def _looked_back(scene: Scene, boxes: Sequence[Box], at: float, aspect: float) -> tuple[int | None, ...]:
    """Return whose the boxes of an earlier moment were, where that is clear."""
    costs = _possible(scene.tracks, boxes, at, aspect)
    near = {pair: cost for pair, cost in costs.items() if cost <= _off_after(abs(at - scene.tracks[pair[0]].seen_at))}
    owners = {place: number for number, place in best_pairs(near, alone=_FASTEST).items()}
    return tuple(
        owners[place] if place in owners and _is_best(near, owners[place], place) else None for place in range(len(boxes))
    )


def _is_best(costs: Pairs, number: int, place: int) -> bool:
    """Say whether no other track comes as near to this box."""
    limit = costs[number, place] + _BACK_MARGIN
    return all(cost > limit for pair, cost in costs.items() if pair[1] == place and pair[0] != number)


def _without(costs: Pairs, owners: Mapping[int, int]) -> Pairs:
    taken = set(owners.values())
    return {pair: cost for pair, cost in costs.items() if pair[0] not in taken and pair[1] not in owners}


def _around(one: Box, other: Box) -> bool:
    """Say whether one of two boxes is around the other's middle."""
    return any(
        a.left <= b.left + b.width / 2 <= a.left + a.width and a.top <= b.top + b.height / 2 <= a.top + a.height
        for a, b in ((one, other), (other, one))
    )


def _middle(box: Box) -> tuple[float, float]:
    return box.left + box.width / 2, box.top + box.height / 2


def _number_of(at: float) -> int:
    return max(1, int((at - _EPOCH) * _A_SECOND))


_BOX_DIGITS, _TIME_DIGITS = 5, 6


def _row(track: Track) -> list[float]:
    box = track.box
    places = (box.left, box.top, box.width, box.height, *track.velocity, *track.before)
    times = (track.seen_at, track.since, track.before_at, track.kept_at, track.searched_at)
    return [
        track.number,
        track.views,
        *(round(value, _BOX_DIGITS) for value in (*places, track.kept)),
        *(round(value, _TIME_DIGITS) for value in times),
    ]


def _track(row: Sequence[float]) -> Track:
    number, views, left, top, width, height, across, down, x, y, kept, seen_at, since, before_at, kept_at, searched_at = row
    return Track(
        int(number),
        Box(left, top, width, height),
        seen_at,
        since,
        int(views),
        (across, down),
        (x, y),
        before_at,
        kept,
        kept_at,
        searched_at,
    )
