// Who is known: names, faces, consent, when they were last seen; the door to everything about one of them.

import { get } from "../../core/api.js";
import { h, say } from "../../core/dom.js";
import { dayTime } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";
import { openAdding } from "./adding.js";
import { listing } from "./listing.js";
import { openPerson } from "./person.js";

const MOST_VISITS = 1000;

export function known(store) {
  const list = h("ul", { class: "people-cards", role: "list" });
  const again = h("p", { class: "people-again", role: "status" });
  const empty = h("p", { class: "muted", hidden: true }, "Nobody is known yet. Add somebody with one or more pictures, or name a face that was just seen.");
  const where = h("p", { class: "muted" });
  const change = () => self.again();
  const self = listing(store, ["visit"], ask, show, h("div", { class: "stack" },
    h("div", { class: "row apart" }, where, h("button", { class: "button primary", type: "button", onclick: () => openAdding(change) }, "Add somebody")),
    again, empty, list));

  function show({ about, lastSeen }) {
    say(where, [`Collection ${about.collection}`, about.provider && `kept by ${about.provider}`].filter(Boolean).join(", "));
    say(again, about.sentence ?? "");
    empty.hidden = about.people.length > 0;
    keyed(list, about.people, ({ id }) => id, (person) => card(person, change), (element, person) => tell(element, person, lastSeen.get(person.id)));
  }
  return self;
}

// Visits are asked for, too; without them nobody was seen as far as one knows.
async function ask() {
  const [about, { visits }] = await Promise.all([get("/api/people"), get(`/api/visits?limit=${MOST_VISITS}`).catch(() => ({ visits: [] }))]);
  const lastSeen = new Map();
  for (const visit of visits) {
    const id = visit.Person?.Id;
    if (id && (lastSeen.get(id)?.ended_at ?? 0) < visit.ended_at) lastSeen.set(id, visit);
  }
  return { about, lastSeen };
}

function card(person, change) {
  return h("li", {}, h("button", { class: "card people-card", type: "button", onclick: () => openPerson(person.id, change) },
    h("span", { class: "initial", "aria-hidden": "true" }),
    h("span", { class: "who" }, h("strong", {}), h("span", { class: "muted faces" }), h("span", { class: "muted seen" })),
    h("span", { class: "marks" })));
}

function tell(element, person, visit) {
  const part = (name) => element.querySelector(name);
  say(part(".initial"), person.name[0].toUpperCase());
  say(part("strong"), person.name);
  say(part(".faces"), person.faces.length === 1 ? "1 face" : `${person.faces.length} faces`);
  say(part(".seen"), visit ? `${visit.open ? "there now" : `last seen ${dayTime(visit.ended_at)}`}, ${visit.camera}` : "not seen lately");
  part(".marks").replaceChildren(...marksOf(person).map(([words, level]) => h("span", { class: `badge ${level}` }, words)));
}

// What has to be looked after, or that consent is noted.
export function marksOf(person) {
  return [
    person.forgetting && ["is being forgotten", "bad"],
    !person.enrolled && person.elsewhere && ["enrol again", "warn"],
    !person.enrolled && !person.elsewhere && ["no face yet", "warn"],
    person.consent ? [`consent ${person.consent}`, "good"] : person.legal_basis ? [person.legal_basis, "good"] : ["no consent noted", "warn"],
  ].filter(Boolean);
}
