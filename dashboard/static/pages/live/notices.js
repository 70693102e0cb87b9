// What happened, newest first: one sentence each.

import { get } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { dayTime } from "../../core/format.js";

const SHOWN = 12;
const LEVELS = { info: "", warn: "warn", bad: "bad" };

// Fills `section`, and returns what ends that.
export function showNotices(section, store) {
  const list = h("ol");
  const known = new Set();
  const add = (notice) => {
    const key = `${notice.id} ${notice.at}`; // a dashboard that starts anew counts from one again
    if (known.has(key)) return;
    known.add(key);
    section.hidden = false;
    list.insertBefore(entry(notice), [...list.children].find(({ dataset }) => Number(dataset.at) <= notice.at) ?? null);
    while (list.children.length > SHOWN) list.lastChild.remove();
  };
  section.hidden = true;
  section.append(h("h2", {}, "What happened"), h("div", { role: "log", "aria-label": "What happened" }, list));
  const fill = async () => {
    const { notices = [] } = await get("/api/notices").catch(() => ({}));
    notices.slice(-SHOWN).forEach(add);
  };
  fill();
  const endings = [store.on("notice", add), store.on("connection", () => store.connected && fill())];
  return () => endings.forEach((end) => end());
}

function entry({ at, level, text }) {
  return h("li", { "data-at": at }, h("time", { class: "number muted" }, dayTime(at)), h("span", { class: `badge ${LEVELS[level] ?? ""}` }, level), h("span", {}, text));
}
