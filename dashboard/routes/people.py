"""People: who is known, their faces, and what was done with their data."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from dashboard import uploads
from dashboard.parts import Parts
from dashboard.people import ENROL_SECONDS

_PERSON = {
    "name": {"type": "string", "example": "Grace Hopper"},
    "consent": {"type": "string", "format": "date"},
    "legal_basis": {"type": "string"},
}
_FACE = {"track": {"type": "string", "example": "front_door-17"}}


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of people."""

    @router.get("/api/people")
    async def list_people(request: Request) -> JSONResponse:
        """List who is known, by name."""
        return JSONResponse(await parts.people.ask(request, "people.list"))

    @router.post("/api/people", status_code=201, openapi_extra=uploads.openapi_of_one({**_PERSON, **_FACE}))
    async def add_person(request: Request) -> JSONResponse:
        """Add somebody, with pictures or the track of a face just seen, or with neither."""
        person = await asked_with_pictures(request, "people.add", {})
        return JSONResponse(person, 201, {"Location": f"/api/people/{person['id']}"})

    @router.get("/api/people/{person}")
    async def show_person(request: Request, person: str) -> JSONResponse:
        """Show all that is known of somebody, by id or name."""
        return JSONResponse(await parts.people.ask(request, "people.get", {"person": person}))

    @router.get("/api/people/{person}/export")
    async def export_person(request: Request, person: str) -> JSONResponse:
        """Return everything that is kept of somebody, as a file, for whoever asks what is known of them."""
        headers = {"Content-Disposition": 'attachment; filename="person.json"'}
        kept = await parts.people.ask(request, "people.export", {"person": person})
        return JSONResponse(kept, headers=headers)

    @router.patch("/api/people/{person}")
    async def change_person(request: Request, person: str, body: dict[str, Any]) -> JSONResponse:
        """Change the name, the date of consent or the legal basis."""
        return JSONResponse(await parts.people.ask(request, "people.change", {"person": person, "changes": body}))

    @router.delete("/api/people/{person}", status_code=204)
    async def remove_person(request: Request, person: str) -> Response:
        """Forget somebody, without telling what was removed."""
        await forgotten(request, {"person": person})
        return Response(status_code=204)

    @router.post("/api/people/{person}/faces", status_code=201, openapi_extra=uploads.openapi_of_one(_FACE))
    async def add_faces(request: Request, person: str) -> JSONResponse:
        """Add pictures to somebody, or the face of a track just seen."""
        return JSONResponse(await asked_with_pictures(request, "people.enrol", {"person": person}), 201)

    @router.delete("/api/people/{person}/faces/{face}", status_code=204)
    async def remove_face(request: Request, person: str, face: str) -> Response:
        """Take one face away from somebody."""
        await parts.people.ask(request, "people.unenrol", {"person": person, "face": face})
        return Response(status_code=204)

    @router.post("/api/people/{person}/forget", openapi_extra=uploads.openapi_of_one({}))
    async def forget_person(request: Request, person: str) -> JSONResponse:
        """Remove somebody from everywhere, and prove it by searching; with a picture, by searching for that, too."""
        upload = await uploads.read_some(request)
        told = {"person": person, "pictures": await parts.people.pictures(upload)}
        return JSONResponse(await forgotten(request, told))

    @router.get("/api/audit")
    async def list_audit(request: Request, person: str = "", limit: str = "", before: str = "") -> JSONResponse:
        """List what was done with people's data, newest first."""
        members = {"person": person, "limit": limit, "before": before}
        return JSONResponse(await parts.people.ask(request, "audit.list", members))

    async def asked_with_pictures(request: Request, what: str, members: dict[str, Any]) -> dict[str, Any]:
        upload = await uploads.read_some(request)
        told = {name: upload.asked.get(name) for name in (*_PERSON, *_FACE)}
        pictures = await parts.people.pictures(upload)
        return await parts.people.ask(request, what, {**told, **members, "pictures": pictures}, ENROL_SECONDS)

    async def forgotten(request: Request, members: dict[str, Any]) -> dict[str, Any]:
        """Have somebody forgotten, and forget here, too."""
        done = await parts.people.ask(request, "people.forget", members, ENROL_SECONDS)
        parts.worst.forget(done.pop("results"), done.pop("tracks"))
        return done
