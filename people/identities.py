"""Who each track is: searches are votes, the unnamed are grouped, visits follow, and what changes is told to all.

results ──> sightings ──> visits
        ╰─> searches ──> votes ──> a person ──╮
            face's vector ──> a group ────────┴──> name:{track} in Redis, events for the pages, listeners in this process
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from people import ballots, named_faces, rejections, unknowns, visits
from people.ballots import Ballots
from people.heard import Search, Sighting, searches, sightings
from people.house import House, Room, room_of
from people.named_faces import NamedFaces
from people.register import Register
from people.rejections import Rejections
from people.unknowns import Unknowns, Vector
from people.views import Views
from people.visits import (
    Cause,
    Listener,
    Stay,
    Visit,
    VisitChange,
    Visits,
    of_person,
    of_track,
    of_unknown,
    person_in,
    unknown_in,
)
from people.votes import Vote, choose
from pipeline.chores import Chore
from pipeline.entities import Result
from pipeline.happenings import Happenings
from pipeline.names import NAME_SECONDS, Names, TrackName
from pipeline.purposes import Purposes

UNDECIDED_SECONDS = 3.0
"""Whoever has no name after so long in sight is taken for unknown, whether a search was answered or not."""

REUSED_SECONDS = 600.0
"""No track is lost and found again after so long, at .01 frames a second either: its number was given out a second time."""

FRAMES_MISSED = 3  # running, for which a face may be overlooked within one visit

LOOK_SECONDS = 1.0  # between two looks for the view of an unnamed track
END_SECONDS, REFRESH_SECONDS, TIDY_SECONDS = 0.5, 5.0, 600.0
RECENT_SECONDS = 60.0  # tracks seen since then have their names written again
WARM_UP_SECONDS = 3.0  # in which results from before the start are heard, and no visit ends
BEHIND_SECONDS = 2.0
_HOUR, _DAY = 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Traces:
    """By what somebody is looked for who is to be forgotten: their tracks, and the faces in them, as they were `at` a time."""

    at: float
    tracks: tuple[str, ...] = ()
    vectors: tuple[Vector, ...] = ()


class Identities(Room):
    """Knows who tracks are; `listeners` hear of visits inside the transaction that keeps what they hear of."""

    tables: ClassVar[tuple[str, ...]] = (
        *(*ballots.TABLES, *named_faces.TABLES),
        *(*visits.TABLES, *unknowns.TABLES, *rejections.TABLES),
    )

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._database = house.database
        self._purposes = Purposes(house.broker.scripts)
        self.visits = Visits(house.database, self._gap_of, self._hear_visit)
        self._ballots = Ballots(house.database)
        self._named_faces = NamedFaces(house.database)
        self.unknowns = Unknowns(house.database)
        self.rejections = Rejections(house.database)
        self.views = Views(house.broker.scripts)
        self.listeners: list[Listener] = []
        self._names = Names(house.broker.scripts)
        self._happenings = Happenings(house.broker.scripts)
        self._changed: dict[str, None] = {}  # tracks, and below visits, of which is to be told: all under the database's lock
        self._told: list[VisitChange] = []
        self._looked: dict[str, float] = {}
        self._forgotten: dict[str, Traces] = {}  # what somebody who was just forgotten is looked for by
        self._begun = time.monotonic()
        self._behind_until = 0.0
        self._called: dict[str, str] | None = None  # who people were at the last refresh

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know the register."""
        self._register = room_of(rooms, Register)

    # --- results ---

    def hear(self, results: Sequence[Result]) -> None:
        """Take in what was seen and found; inside the transaction that keeps the cursor."""
        with self.unless_undone():
            self._hear(results)

    def settle(self) -> None:
        """Write the names that changed, and tell the pages."""
        if not self._changed and not self._told:
            return
        with self._database.transaction():
            names = self._write_names(self._changed)
            told, self._told, self._changed = self._told, [], {}
        for track, (camera, name) in names.items():
            about = {"track": track, "camera": camera, "Person": name.person, "Unknown": name.unknown}
            self._happenings.tell("person", about)
        for change in told:
            self._happenings.tell("visit", {**self.visit_as_json(change.visit), "kind": change.kind})

    def _hear(self, results: Sequence[Result]) -> None:
        may = self._purposes.names_people
        seen, found = sightings(results, may), searches(results, may)
        self._note_delay(results)
        voted = {search.track: search for search in found if self._keep_vote(search)}
        stays = {track: self._see(sighting) for track, sighting in seen.items()}
        for track, search in voted.items():
            self.visits.cause = Cause(track, search.result, search.at)
            stay = stays.get(track) or self.visits.stay(track)
            if stay is not None:
                stays[track] = self.decide(stay)
        sighted = [stay for track, stay in stays.items() if track in seen]
        for stay in sighted:
            if self._is_doubtful(stay):
                self.visits.cause = _cause(seen[stay.track])
                self.decide(stay)
        self.group([stay for stay in sighted if self._is_due(stay)], seen)

    def _see(self, sighting: Sighting) -> Stay:
        """Note a sighting. A search may have been answered before; where nobody is known, whoever comes is unknown at once."""
        self.visits.cause = _cause(sighting)
        known = self.visits.stay(sighting.track)
        if known is not None and sighting.began > known.ended + REUSED_SECONDS:
            self._retire(known)
            known = None
        stay = self.visits.saw(sighting.track, sighting.camera, sighting.began, sighting.ended, known)
        if known is None:
            stay = self.decide(stay)
            if not stay.is_searched and self._nobody_is_known():
                stay = self.visits.identify(stay, stay.identity)
        return stay

    def _retire(self, stay: Stay) -> None:
        """Let nothing that is known of a track hold for another one of the same number, which somebody else has got."""
        self.unknowns.release(stay.track)
        self._ballots.cut_out(stay.track, -math.inf, stay.ended + REUSED_SECONDS)
        self.visits.retire(stay)
        self._changed[stay.track] = None

    def _keep_vote(self, search: Search) -> bool:
        """Keep what a search found, once; say whether it was new."""
        similarities: dict[str, float] = {}
        for match in search.matches:
            face, similarity = match.get("Face"), match.get("Similarity")
            if isinstance(face, dict) and isinstance(similarity, int | float):
                person = self._register.person_of(face)
                if person is not None:
                    similarities[person] = max(similarities.get(person, 0.0), float(similarity))
        weight = search.weight if search.weight is not None else self._weight_of(search.track)
        return self._ballots.cast(search.result, search.track, search.at, weight, similarities)

    def decide(self, stay: Stay) -> Stay:
        """Let a track be whom its votes say, unless a person said who it is; inside a transaction."""
        votes = [] if stay.is_said else self._ballots.of(stay.track)
        if not votes:
            return stay
        choice = choose(votes, self.house.settings.show, self._out_of_the_running(stay.track, votes))
        if choice is None:
            return self.identify(stay, of_track(stay.track) if person_in(stay.identity) else stay.identity)
        known = self.identify(stay, of_person(choice.person), choice.similarity)
        self.unknowns.release(stay.track)
        if known != stay and choice.similarity >= self.house.settings.watch:
            self._take_along(known, choice.person)
        return known

    def _take_along(self, stay: Stay, person: str) -> None:
        """Give a person who was found surely the visits from before they were known: those of unknown faces like theirs."""
        view = self.views.of([stay.track]).get(stay.track)
        for group in self.unknowns.like(view.vector) if view else ():
            vectors = self.unknowns.vectors_of(group)
            if not any(self.rejections.against(track, vector, [person]) for track, vector in vectors.items()):
                self.rename_group(group, person)

    def rename_group(self, group: int, person: str, *, is_said: bool = False) -> None:
        """Let the visits of an unknown group be a person's: it is one no more; inside a transaction."""
        for other in self.visits.stays_of(of_unknown(group)):
            self.identify(other, of_person(person), is_said=is_said)
        self.unknowns.dissolve(group)

    def identify(self, stay: Stay, identity: str, similarity: float = 0.0, *, is_said: bool = False) -> Stay:
        """Let a track be somebody, and have it told once that is kept; inside a transaction."""
        known = self.visits.identify(stay, identity, similarity, is_said=is_said)
        if (known.identity, known.similarity) != (stay.identity, stay.similarity):
            self._changed[stay.track] = None
            self._keep_face(known)
        return known

    def _keep_face(self, stay: Stay) -> None:
        """Keep the vector of a named track for as long as those of unknown ones, and of no other."""
        self._named_faces.drop(stay.track)
        person = person_in(stay.identity)
        if person is not None and self.house.settings.unknown_hours:
            known = self.unknowns.vector_of(stay.track)
            if known is None and (view := self.views.of([stay.track]).get(stay.track)):
                known = view.vector
            if known is not None:
                self._named_faces.keep(stay.track, person, known, self.house.clock.now())

    def _out_of_the_running(self, track: str, votes: Iterable[Vote]) -> set[str]:
        """Return who a track is not: persons whom somebody rejected for a face like it, and those who are known no more."""
        persons = {person for vote in votes for person in vote.similarities}
        gone = {person for person in persons if self._known_name(person) is None}
        if not self.rejections.concern(persons):
            return gone
        view = self.views.of([track]).get(track)
        return gone | self.rejections.against(track, view.vector if view else None, persons)

    def _weight_of(self, track: str) -> float:
        view = self.views.of([track]).get(track)
        return view.weight if view and view.weight > 0 else 1.0

    def _nobody_is_known(self) -> bool:
        return not self._database.rows("SELECT 1 FROM people LIMIT 1")

    def _note_delay(self, results: Sequence[Result]) -> None:
        if results and self.house.clock.now() - results[-1].published_at > BEHIND_SECONDS:
            self._behind_until = time.monotonic() + BEHIND_SECONDS

    # --- who is not named ---

    def _is_doubtful(self, stay: Stay) -> bool:
        """Say whether a name has to be looked at again: a search may be answered before the view of its face is kept."""
        person = person_in(stay.identity)
        if person is None or stay.is_said or time.monotonic() < self._looked.get(stay.track, 0.0):
            return False
        self._looked[stay.track] = time.monotonic() + LOOK_SECONDS
        return self.rejections.concern([person])

    def _is_due(self, stay: Stay) -> bool:
        """Say whether it is time to look for the view of a track that has no name."""
        if not self.house.settings.unknown_hours or person_in(stay.identity):
            return False
        if not stay.is_searched and stay.ended - stay.began < UNDECIDED_SECONDS:
            return False
        if time.monotonic() < self._looked.get(stay.track, 0.0):
            return False
        self._looked[stay.track] = time.monotonic() + LOOK_SECONDS
        return True

    def group(self, stays: Sequence[Stay], seen: Mapping[str, Sighting]) -> None:
        """Let unnamed tracks whose view is kept belong to groups of faces that are alike; inside a transaction."""
        if not self.house.settings.unknown_hours:
            return
        views = self.views.of(stay.track for stay in stays)
        for stay in stays:
            if view := views.get(stay.track):
                self.visits.cause = _cause(seen[stay.track]) if stay.track in seen else Cause(stay.track)
                identity = of_unknown(self.unknowns.group(stay.track, view))
                if stay.identity != identity:
                    self.visits.group(stay, identity)
                    self._changed[stay.track] = None

    # --- what goes on by itself ---

    def chores(self) -> Sequence[Chore]:
        """Return what ends visits, keeps names in Redis, and lets old things go."""
        return (
            Chore("visits", END_SECONDS, self._end_visits),
            Chore("names", REFRESH_SECONDS, self._refresh),
            Chore("old visits", TIDY_SECONDS, self._tidy),
        )

    def _end_visits(self) -> None:
        """End the visits that are over, unless results from that time are still to be heard."""
        now = time.monotonic()
        if now < max(self._begun + WARM_UP_SECONDS, self._behind_until):
            return
        with self.unless_undone():
            self.visits.cause = Cause()
            for visit in self.visits.end(self.house.clock.now()):
                self._group_at_last(visit)
        self._looked = {track: at for track, at in self._looked.items() if at > now - RECENT_SECONDS}
        self.settle()

    def _group_at_last(self, visit: Visit) -> None:
        """Let somebody who was there too shortly to be grouped be so now; a face in one frame, never seen well, was nobody."""
        if visit.person is not None or visit.unknown is not None:
            return
        self.group(self.visits.stays_of(visit.identity), {})
        if visit.began == visit.ended and self.visits.stays_of(visit.identity):
            self.visits.drop(visit)

    def _refresh(self) -> None:
        """Write the names of those who were here lately once more: they expire, and Redis may have been emptied.

        After the start, and when somebody is called otherwise, those of all whose results are still there.
        """
        called = {person.id: person.name for person in self._register.all()}
        since = RECENT_SECONDS if called == self._called else NAME_SECONDS
        with self._database.transaction():
            self._write_names(self.visits.seen_since(self.house.clock.now() - since))
        self._called = called

    def _tidy(self) -> None:
        now, settings = self.house.clock.now(), self.house.settings
        with self._database.transaction():
            self.visits.expire(now - settings.visit_days * _DAY)
            self.rejections.expire(now - settings.visit_days * _DAY)
            self.unknowns.expire(now - settings.unknown_hours * _HOUR)
            self._named_faces.expire(now - settings.unknown_hours * _HOUR)
            self._ballots.expire(now)
        self._forgotten.clear()

    def _write_names(self, tracks: Iterable[str]) -> dict[str, tuple[str, TrackName]]:
        """Write who tracks are, and return it with their cameras; nobody changes it meanwhile."""
        with self._database.transaction():
            stays = [stay for track in dict.fromkeys(tracks) if (stay := self.visits.stay(track))]
            names = {stay.track: (stay.camera, self.name_of(stay)) for stay in stays}
            self._names.write({track: name for track, (_, name) in names.items()})
        return names

    def _gap_of(self, camera: str) -> float:
        """Return for how long somebody may be out of sight of a camera: some frames at least, where these are rare."""
        return max(self.house.settings.visit_gap, FRAMES_MISSED / self._purposes.fps(camera))

    def _hear_visit(self, change: VisitChange) -> None:
        person = change.visit.person
        named = replace(change, name=(self._known_name(person) or "") if person else "")
        self._told.append(named)
        for listener in self.listeners:
            listener(named)

    def reject(self, visit: Visit, person: str) -> None:
        """Tell the listeners that somebody said a visit is not a person's; inside a transaction."""
        self._hear_visit(VisitChange("rejected", visit, person, cause=self.visits.cause))

    def names_people(self, camera: str) -> bool:
        """Say whether people at a camera may be known."""
        return self._purposes.names_people(camera)

    # --- in the API's words ---

    def name_of(self, stay: Stay) -> TrackName:
        """Return who a track is, as its faces show it; what a person said has no similarity."""
        if not self._purposes.names_people(stay.camera):  # since lately
            return TrackName()
        return self._name(stay.identity, None if stay.is_said else stay.similarity)

    def visit_as_json(self, visit: Visit) -> dict[str, Any]:
        """Return a visit as the API shows it."""
        name = self._name(visit.identity, visit.similarity or None)
        return {
            "id": visit.id,
            "camera": visit.camera,
            "Person": name.person,
            "Unknown": name.unknown,
            "began_at": round(visit.began, 3),
            "ended_at": round(visit.ended, 3),
            "open": visit.is_open,
        }

    def _name(self, identity: str, similarity: float | None) -> TrackName:
        person, group = person_in(identity), unknown_in(identity)
        if person is not None and (name := self._known_name(person)):
            return TrackName(person={"Id": person, "Name": name, "Similarity": similarity})
        if group is not None:
            return TrackName(unknown={"Id": group, "Visits": self.visits.number_of(identity)})
        return TrackName()

    def _known_name(self, person_id: str) -> str | None:
        person = self._register.get(person_id)
        return None if person is None or person.forgetting else person.name

    @contextmanager
    def unless_undone(self) -> Iterator[None]:
        """Do what is inside in one transaction; of visits that it did not keep nothing is told."""
        with self._database.transaction():
            before = len(self._told)
            try:
                yield
            except BaseException:
                del self._told[before:]
                raise

    # --- forgetting ---

    def tracks_of(self, person_id: str) -> Sequence[str]:
        """Return the tracks that are a person's."""
        return [stay.track for stay in self.visits.stays_of(of_person(person_id))]

    def forget(self, person_id: str) -> Mapping[str, int]:
        """Remove a person's visits and tracks, what searches found and what was said of them, and unknown faces like theirs."""
        traces = self._forgotten[person_id] = self._traces(person_id)
        with self._database.transaction():
            there = self._count(person_id, traces)
            for group in self._groups_like(traces):
                self.visits.forget(of_unknown(group))
                self.unknowns.dissolve(group)
            self.rejections.delete(self.rejections.about(person_id, traces.tracks, traces.vectors))
            self._ballots.forget(person_id)
            self._named_faces.forget(person_id)
            self.visits.forget(of_person(person_id))
        return there

    def remaining(self, person_id: str) -> Mapping[str, int]:
        """Count what `forget` removes, by all that was known of the person before."""
        return self._count(person_id, self._traces(person_id))

    def erase(self, camera: str, since: float, until: float) -> Mapping[str, int]:
        """Remove visits, tracks, faces from between two times; who came before or stayed on keeps that part and the name."""
        with self.unless_undone():
            self.visits.cause = Cause()
            seen, changed = self.visits.cut_out(camera, since, until)
            gone = [track for track, is_left in seen.items() if not is_left]
            self.rejections.delete(self.rejections.about("", gone, ()))
            for track, is_left in seen.items():
                times = (since, until) if is_left else (-math.inf, math.inf)
                for store in (self._ballots, self._named_faces, self.unknowns):
                    store.cut_out(track, *times)
        self._names.write(dict.fromkeys(gone, TrackName()))
        self.settle()
        return {"visits": changed, "tracks": len(gone)}

    def _traces(self, person_id: str) -> Traces:
        """Return the tracks of a person and the faces in them, those from before they were forgotten too."""
        before = self._forgotten.get(person_id) or Traces(self.house.clock.now())
        tracks = self.tracks_of(person_id)
        vectors = self._named_faces.of(person_id)
        seen = [view.vector for view in self.views.of(tracks).values()]
        return Traces(before.at, (*before.tracks, *tracks), (*before.vectors, *vectors, *seen))

    def _count(self, person_id: str, traces: Traces) -> dict[str, int]:
        return {
            "visits": self.visits.number_of(of_person(person_id)),
            "tracks": len(self.tracks_of(person_id)),
            "vectors": self._named_faces.number_of(person_id),
            "rejections": len(self.rejections.about(person_id, traces.tracks, traces.vectors)),
            "votes": self._ballots.number_about(person_id),
            "unknowns": len(self._groups_like(traces)),
        }

    def _groups_like(self, traces: Traces) -> set[int]:
        """Return the groups of faces like these; whoever stands there while being forgotten is unknown anew from then on."""
        found = {group for vector in traces.vectors for group in self.unknowns.like(vector)}
        return {group for group in found if self.unknowns.began(group) <= traces.at}


def _cause(sighting: Sighting) -> Cause:
    return Cause(sighting.track, sighting.result, sighting.ended)
