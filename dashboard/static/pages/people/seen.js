// Who was seen: unknown people who came again, and visits.

import { get } from "../../core/api.js";
import { now } from "../../core/clock.js";
import { h, say } from "../../core/dom.js";
import { age, dayTime } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";
import { openNaming, unname } from "../../core/naming.js";
import { ordinal, whoIs } from "../../core/people.js";
import { listing } from "./listing.js";

const MOST = 100;
const CROP_SECONDS = 900; // for which the best view of a face is kept

export function seen(store) {
  const unknowns = h("ul", { class: "people-cards", role: "list" });
  const nobody = h("p", { class: "muted" }, "Nobody unknown is remembered now.");
  const rows = h("tbody");
  const empty = h("p", { class: "muted" }, "There was no visit yet.");
  const table = h("table", { class: "table visits" },
    h("thead", {}, h("tr", {}, ...["Who", "Camera", "From", "For", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "visually-hidden" }, "Correct"))))), rows);

  return listing(store, ["visit", "person"], ask, show, h("div", { class: "stack" },
    h("section", { class: "stack" }, h("h2", {}, "Unknown, and recognised again"), nobody, unknowns),
    h("section", { class: "stack" }, h("h2", {}, "Visits"), empty, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Visits" }, table))));

  function show([{ unknowns: groups }, { visits }]) {
    nobody.hidden = groups.length > 0;
    keyed(unknowns, groups, (group) => `${group.Id} ${group.track}`, group, tellGroup);
    empty.hidden = visits.length > 0;
    table.hidden = !visits.length;
    keyed(rows, visits, ({ id }) => id, visitRow, tellVisit);
  }
}

const ask = () => Promise.all([get("/api/unknowns"), get(`/api/visits?limit=${MOST}`)]);

function group({ Id, track, ended_at: ended }) {
  const isKept = now() - ended < CROP_SECONDS;
  const none = () => h("span", { class: "initial", "aria-hidden": "true" }, "?");
  const crop = isKept ? h("img", { class: "crop", alt: `the face of ${Id}`, src: `/api/tracks/${encodeURIComponent(track)}/face.jpg`, onerror: () => crop.replaceWith(none()) }) : none();
  return h("li", {}, h("div", { class: "card people-card" }, crop,
    h("span", { class: "who" }, h("strong", {}), h("span", { class: "muted seen" }), h("span", { class: "muted where" })),
    h("button", { class: "button", type: "button", "aria-label": `${Id}: this is …`, onclick: () => openNaming(track) }, "This is …")));
}

function tellGroup(element, { Visits, ended_at: ended, cameras }) {
  say(element.querySelector("strong"), Visits > 1 ? `unknown, ${ordinal(Visits)} visit` : "unknown");
  say(element.querySelector(".seen"), `last seen ${dayTime(ended)}`);
  say(element.querySelector(".where"), cameras.join(", "));
}

function visitRow() {
  return h("tr", {}, h("th", { scope: "row" }), h("td", {}), h("td", { class: "number" }), h("td", { class: "number" }), h("td", {}));
}

function tellVisit(row, visit) {
  const who = visit.Unknown ? `unknown ${visit.Unknown.Id}, ${visit.Unknown.Visits > 1 ? `${visit.Unknown.Visits} visits` : "1 visit"}` : whoIs({ ...visit, Track: true });
  const [name, camera, from, lasted, correct] = row.children;
  say(name, visit.Person ? `${who} (${Math.round(visit.Person.Similarity ?? 0)} %)` : who);
  say(camera, visit.camera);
  say(from, dayTime(visit.began_at));
  say(lasted, visit.open ? "there now" : age(visit.ended_at - visit.began_at));
  const track = visit.tracks?.[visit.tracks.length - 1];
  const state = `${track} ${Boolean(visit.Person)}`;
  if (row.dataset.state === state) return;
  row.dataset.state = state;
  correct.replaceChildren(...(track ? corrections(track, visit.Person, who) : []));
}

function corrections(track, person, who) {
  return [h("div", { class: "row" },
    h("button", { class: "button quiet", type: "button", "aria-label": `${who}: this is …`, onclick: () => openNaming(track) }, "This is …"),
    person ? h("button", { class: "button quiet", type: "button", "aria-label": `Not ${person.Name}`, onclick: () => unname(track) }, "Not this person") : null)];
}
