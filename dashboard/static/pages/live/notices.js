// What happened, newest first: one sentence each; an alert can be confirmed, or called wrong.

import { ApiError, get, patch } from "../../core/api.js";
import { toast } from "../../core/dialog.js";
import { h } from "../../core/dom.js";
import { dayTime } from "../../core/format.js";

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

function alertEntry({ id, at, text, verdict }) {
  const item = h("li", { "data-at": at, "data-alert": id }, h("time", { class: "number muted" }, dayTime(at)));
  const show = (now) => item.replaceChildren(item.firstChild,
    h("span", { class: `badge ${now === "wrong" ? "" : "bad"}` }, now ? `alert · ${now}` : "alert"),
    h("span", {}, text),
    ...(now ? [button("Undo", null)] : Object.entries(VERDICTS).map(([one, words]) => button(words, one))));
  const button = (words, one) => h("button", { class: "button quiet", type: "button", "aria-label": `${words}: ${text}`, onclick: () => judge(one) }, words);
  async function judge(one) {
    const answer = await patch(`/api/alerts/${encodeURIComponent(id)}`, { verdict: one }).catch((error) => {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message, "bad");
    });
    if (!answer) return;
    show(answer.verdict);
    item.querySelector("button")?.focus();
  }
  show(verdict);
  return item;
}
