// The receipt of a show: its laughs by minute, what they come to, how far the count may be off, and each laugh to look at and to dispute.

import { attempt, get } from "../../core/api.js";
import { createChart } from "../../core/chart.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h } from "../../core/dom.js";
import { age, clockTime, dollars, number, percent } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";
import { amountOf, countOf, money, spanOf } from "./money.js";
import { openTrace } from "./trace.js";

const MINUTE = 60;

export function openReceipt(receipt, onchange) {
  const { show } = receipt;
  const chart = createChart({ title: "Laughs by minute", unit: "whole", columns: true, last: "the last minute" }, { counted: 2, disputed: 7 });
  const worth = h("div", { class: "amount" });
  const facts = h("dl", { class: "facts" });
  const rows = h("tbody");
  const table = h("table", { class: "table laughs" },
    h("thead", {}, h("tr", {}, ["When", "Camera", "Long", "Peak", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "visually-hidden" }, "Look"))))), rows);

  const again = async () => {
    const found = await attempt(() => get(`/api/shows/${show.id}`), (message) => toast(message, "bad"));
    if (found) tell(found);
    onchange();
  };
  const tell = (found) => {
    worth.replaceChildren(...worthOf(found));
    facts.replaceChildren(...factsOf(found).flatMap(([name, words]) => [h("dt", {}, name), h("dd", {}, words)]));
    chart.update(minutesOf(found));
    keyed(rows, found.laughs.all, ({ id, disputed }) => `${id} ${disputed}`, (laugh) => rowOf(found.show, laugh, again));
  };
  const dialog = openDialog(show.name, h("div", { class: "receipt stack" },
    h("p", { class: "muted" }, `${spanOf(show)} · ${show.cameras.length ? show.cameras.join(", ") : "all cameras"}`),
    worth, h("p", {}, receipt.error?.sentence ?? "How far such a count is off was not measured yet."), chart.element, facts,
    h("section", {}, h("h3", {}, "Each laugh"), h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": "Each laugh" }, table))),
  { wide: true, onclose: () => chart.close() });
  dialog.classList.add("audience");
  tell(receipt);
}

function worthOf(receipt) {
  const { show, laughs } = receipt;
  const sum = receipt.amount === null || receipt.amount === undefined ? [] : [h("span", { class: "muted" }, `× ${money(show.price, show.currency)} =`), h("b", { class: "number" }, amountOf(receipt))];
  const disputed = laughs.disputed ? h("span", { class: "badge warn" }, `${number(laughs.disputed)} disputed, not counted`) : null;
  return [h("b", { class: "number" }, countOf(receipt)), ...sum, disputed].filter(Boolean);
}

function factsOf({ peak, people, calls, error }) {
  return [
    peak?.at && ["Most at once", `${number(peak.laughing)} at ${clockTime(peak.at)}; the best minute had ${number(peak.laughs)}`],
    ["People", [`${number(people.arrivals)} came`, people.dwell_seconds !== null && `stayed ${age(people.dwell_seconds)}`, `${(people.present ?? 0).toFixed(1)} there on average`].filter(Boolean).join(", ")],
    error && ["The count", `${percent(error.precision)} of what is counted are laughs, ${percent(error.recall)} of the laughs are counted, measured at ${number(error.measured_at)} results/s; these were ${error.results_per_second?.toFixed(1) ?? "–"}/s`],
    ["Calls", [`${number(calls.calls)} for ${dollars(calls.dollars)}`, calls.failed ? `${number(calls.failed)} failed` : ""].filter(Boolean).join(", ")],
  ].filter(Boolean);
}

function minutesOf({ show, minutes, peak }) {
  const from = Math.floor(show.started_at / MINUTE) * MINUTE;
  const last = Math.max(show.stopped_at ?? 0, peak?.at ?? 0, ...minutes.map(({ at }) => at), from);
  const known = new Map(minutes.map((minute) => [minute.at, minute]));
  const times = [...Array(Math.floor((last - from) / MINUTE) + 1).keys()].map((index) => from + index * MINUTE);
  const line = (name, read) => ({ name, role: "value", points: times.map((at) => [at, known.has(at) ? read(known.get(at)) : 0]) });
  return { from, to: from + times.length * MINUTE, step: MINUTE, series: [line("counted", ({ laughs }) => laughs), line("disputed", ({ disputed }) => disputed)] };
}

function rowOf(show, laugh, again) {
  return h("tr", { class: laugh.disputed ? "disputed" : "" },
    h("th", { scope: "row", class: "number" }, clockTime(laugh.start)), h("td", {}, laugh.camera), h("td", { class: "number" }, age(laugh.end - laugh.start)),
    h("td", { class: "number" }, percent(laugh.peak)),
    h("td", {}, h("div", { class: "row" },
      laugh.disputed ? h("span", { class: "badge warn" }, "disputed") : null,
      h("button", { class: "button", type: "button", "aria-label": `Look at the laugh of ${clockTime(laugh.start)}`, onclick: () => openTrace(show, laugh, again) }, "Look"))));
}
