// What one wants to hear of, and what one was told: watches, alerts with their verdicts.

import { get } from "../../core/api.js";
import { now } from "../../core/clock.js";
import { h, say } from "../../core/dom.js";
import { dayTime } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";
import { verdictOf } from "../../core/verdict.js";
import { listing } from "./listing.js";
import { openWatch } from "./watch.js";
import { tellWatch, watchCard } from "./watches.js";

const MOST = 100;
const CROP_SECONDS = 900; // for which the best view of a face is kept
const STATES = { waiting: "warn", delivered: "good", given_up: "bad" };

export function alerts(store) {
  const watches = h("ul", { class: "people-watches", role: "list" });
  const noWatch = h("p", { class: "muted" }, "Nothing is watched for. A watch tells you once a visit that somebody, somebody unknown, an emotion or a thing was seen.");
  const list = h("ol", { class: "people-alerts", role: "list" });
  const noAlert = h("p", { class: "muted" }, "There was no alert yet.");
  const change = () => self.again();
  const self = listing(store, ["alert"], ask, show, h("div", { class: "stack" },
    h("section", { class: "stack" },
      h("div", { class: "row apart" }, h("h2", {}, "Watches"), h("button", { class: "button primary", type: "button", onclick: () => openWatch(store, change) }, "Add a watch")),
      noWatch, watches),
    h("section", { class: "stack" }, h("h2", {}, "Alerts"), noAlert, list)));

  function show([{ watches: found }, { alerts: told }]) {
    noWatch.hidden = found.length > 0;
    keyed(watches, found, ({ id }) => id, (watch) => watchCard(watch, change), tellWatch);
    noAlert.hidden = told.length > 0;
    keyed(list, told, (alert) => `${alert.id} ${alert.verdict}`, alertItem, tellDeliveries);
  }
  return self;
}

const ask = () => Promise.all([get("/api/watches"), get(`/api/alerts?limit=${MOST}`)]);

function alertItem(alert) {
  return h("li", { class: "card" },
    h("div", { class: "row apart" }, h("time", { class: "number muted" }, dayTime(alert.at)), alert.budget ? null : verdictOf(alert)),
    h("div", { class: "told" }, cropOf(alert), h("div", {}, h("p", {}, alert.text), h("div", { class: "row deliveries" }))));
}

function cropOf({ track, captured_at: at }) {
  if (!track || now() - at > CROP_SECONDS) return null;
  const crop = h("img", { class: "crop", alt: "the face that was seen", src: `/api/tracks/${encodeURIComponent(track)}/face.jpg`, onerror: () => crop.remove() });
  return crop;
}

function tellDeliveries(item, { deliveries }) {
  const state = JSON.stringify(deliveries);
  if (item.dataset.state === state) return;
  item.dataset.state = state;
  item.querySelector(".deliveries").replaceChildren(...deliveries.map(deliveryOf));
}

function deliveryOf({ receiver, state, attempts, trouble }) {
  const words = [`receiver ${receiver}: ${state.replace("_", " ")}`, attempts > 1 && `${attempts} attempts`].filter(Boolean).join(", ");
  const element = h("span", {}, h("span", { class: `badge ${STATES[state] ?? ""}` }, words), h("span", { class: "muted" }));
  say(element.lastChild, trouble ? ` ${trouble}` : "");
  return element;
}
