// What was removed of somebody who was forgotten, and what a search found afterwards.

import { h } from "../../core/dom.js";
import { number } from "../../core/format.js";

const WORDS = {
  people: "their entry", faces: "faces in the collection", users: "users of the collection", results: "results", pictures: "pictures",
  names: "names of tracks", visits: "visits", tracks: "tracks", votes: "votes", rejections: "corrections", alerts: "alerts", watches: "watches",
  deliveries: "deliveries that waited", unknowns: "groups of unknowns like them", audit: "entries of the log that named them", enrolments: "enrolments under way",
};

// `proof` as POST /api/people/{id}/forget answers it.
export function proofOf({ name, removed, remaining, unreachable, unfinished = [] }) {
  const left = Object.values(remaining).reduce((sum, count) => sum + count, 0);
  const kinds = [...new Set([...Object.keys(removed), ...Object.keys(remaining)])].sort((a, b) => (removed[b] ?? 0) - (removed[a] ?? 0));
  return h("div", { class: "stack" },
    h("p", { class: left ? "error" : "", role: "status" }, left
      ? `${name} is recognised no more, but a search still finds ${number(left)} traces: try again in a moment.`
      : `${name} is forgotten: everything was searched again, and nothing was found.`),
    unreachable.length ? h("p", { class: "error" }, `Cannot be reached now, and is deleted once it answers again: ${unreachable.join(", ")}.`) : null,
    unfinished.map((sentence) => h("p", { class: "error" }, sentence)),
    h("table", { class: "table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "What"), h("th", { scope: "col" }, "removed"), h("th", { scope: "col" }, "found afterwards"))),
      h("tbody", {}, ...kinds.map((kind) => h("tr", {},
        h("th", { scope: "row" }, WORDS[kind] ?? kind),
        h("td", { class: "number" }, number(removed[kind])),
        h("td", { class: `number ${remaining[kind] ? "error" : ""}` }, number(remaining[kind])))))),
    h("p", { class: "muted" }, "What receivers of alerts were sent, and files that --output wrote, are beyond the reach of this program."));
}
