// What was done with people's data: who looked, enrolled, corrected, forgot. Nothing here names a person who was forgotten.

import { attempt, get } from "../../core/api.js";
import { h, say } from "../../core/dom.js";
import { dayTime } from "../../core/format.js";

const PAGE = 100;

export function log() {
  const rows = h("tbody");
  const said = h("p", { class: "error", role: "status" });
  const more = h("button", { class: "button", type: "button", hidden: true, onclick: () => load() }, "Earlier entries");
  const names = new Map();
  let last = null;
  let isClosed = false;

  async function load() {
    const asked = [get(`/api/audit?limit=${PAGE}${last === null ? "" : `&before=${last}`}`), names.size ? { people: [] } : get("/api/people").catch(() => ({ people: [] }))];
    const found = await attempt(() => Promise.all(asked), (message) => say(said, message));
    if (!found || isClosed) return;
    const [{ audit }, { people }] = found;
    people.forEach(({ id, name }) => names.set(id, name));
    rows.append(...audit.map((entry) => rowOf(entry, names)));
    last = audit.length ? audit[audit.length - 1].id : last;
    more.hidden = audit.length < PAGE;
  }

  load();
  const table = h("table", { class: "table" }, h("thead", {}, h("tr", {}, ...["When", "Who", "What", "Person", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "visually-hidden" }, "More"))))), rows);
  return {
    element: h("div", { class: "stack" }, h("p", { class: "muted" }, "Who did what with people's data, the newest first. It holds no names of its own, and goes after a year."), said,
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Audit log" }, table), more),
    close: () => (isClosed = true),
  };
}

function rowOf({ at, times, who, what, person, detail }, names) {
  return h("tr", {},
    h("td", { class: "number" }, dayTime(at)), h("td", {}, who), h("td", {}, times > 1 ? `${what} (${times} times)` : what),
    h("td", {}, names.get(person) ?? person), h("td", { class: "muted" }, detail));
}
