// What happened, newest first: one sentence each; an alert can be confirmed, or called wrong.

import { get } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { dayTime } from "../../core/format.js";
import { verdictOf } from "../../core/verdict.js";

const SHOWN = 12;
const LEVELS = { info: "", warn: "warn", bad: "bad" };
const VERDICTS = { confirmed: "Confirm", wrong: "Wrong" };

// Fills `section`, and returns what ends that.
export function showNotices(section, store) {
  const list = h("ol");
  const known = new Set();
  const put = (item) => {
    section.hidden = false;
    list.insertBefore(item, [...list.children].find(({ dataset }) => Number(dataset.at) <= Number(item.dataset.at)) ?? null);
    while (list.children.length > SHOWN) list.lastChild.remove();
  };
  const add = (notice) => {
    const key = `${notice.id} ${notice.at}`; // a dashboard that starts anew counts from one again
    if (!known.has(key)) put(entry(notice));
    known.add(key);
  };
  const alert = (about) => {
    list.querySelector(`[data-alert="${CSS.escape(about.id)}"]`)?.remove();
    put(alertEntry(about));
  };
  section.hidden = true;
  section.append(h("h2", {}, "What happened"), h("div", { role: "log", "aria-label": "What happened" }, list));
  const fill = async () => {
    const [{ notices = [] }, { alerts = [] }] = await Promise.all([get("/api/notices"), get(`/api/alerts?limit=${SHOWN}`)].map((asked) => asked.catch(() => ({}))));
    notices.slice(-SHOWN).forEach(add);
    alerts.forEach(alert);
  };
  fill();
  const endings = [store.on("notice", add), store.on("alert", alert), store.on("connection", () => store.connected && fill())];
  return () => endings.forEach((end) => end());
}

function entry({ at, level, text }) {
  return h("li", { "data-at": at }, h("time", { class: "number muted" }, dayTime(at)), h("span", { class: `badge ${LEVELS[level] ?? ""}` }, level), h("span", {}, text));
}

function alertEntry(alert) {
  return h("li", { "data-at": alert.at, "data-alert": alert.id }, h("time", { class: "number muted" }, dayTime(alert.at)), alert.budget ? h("span", { class: "badge warn" }, "budget") : verdictOf(alert), h("span", {}, alert.text));
}
