// One laugh: the two seconds around its peak as they were measured, and whether it is disputed.

import { attempt, get, patch } from "../../core/api.js";
import { createChart } from "../../core/chart.js";
import { openDialog, toast } from "../../core/dialog.js";
import { h } from "../../core/dom.js";
import { clockTime } from "../../core/format.js";
import { percentOf } from "./series.js";
import { laughWords } from "./strip.js";

const LINES = { smoothed: "smoothed", score: "score", smile: "smile", happy: "happy", mouth_open: "mouth open" };

export async function openTrace(show, laugh, onchange) {
  const path = `/api/shows/${show.id}/laughs/${laugh.id}`;
  const refuse = (message) => toast(message, "bad");
  const found = await attempt(() => get(path), refuse);
  if (!found) return;
  const chart = createChart({ title: "Two seconds around its peak", unit: "%", most: 100, last: "at its end", help: "a laugh begins where the smoothed score rises above the upper line, and ends where it falls below the lower one" });
  const isDisputed = found.laugh.disputed;
  const change = async () => {
    if (!(await attempt(() => patch(path, { disputed: !isDisputed }), refuse))) return;
    toast(isDisputed ? "it counts again" : "disputed: it is not counted", "good");
    dialog.close();
    onchange();
  };
  const dialog = openDialog(`A laugh at ${clockTime(laugh.start)}`, h("div", { class: "stack" },
    h("p", { class: "muted" }, laughWords(found.laugh)),
    found.trace.length ? chart.element : h("p", {}, "What was measured then is not kept any more: the results of that time are deleted."),
    h("div", { class: "row" }, h("button", { class: `button ${isDisputed ? "" : "danger"}`, type: "button", onclick: change }, isDisputed ? "It was a laugh: count it" : "Dispute: this was no laugh"))),
  { onclose: () => chart.close() });
  dialog.classList.add("audience");
  if (found.trace.length) chart.update(linesOf(found), [{ at: found.laugh.start, text: "begins", level: "" }, { at: found.laugh.end, text: "ends", level: "" }]);
}

function linesOf({ trace, begins_at: begins, ends_at: ends }) {
  const measured = Object.entries(LINES).filter(([member]) => trace.some((one) => one[member] !== null && one[member] !== undefined));
  const limit = (name, value) => ({ name, role: "limit", points: trace.map(({ at }) => [at, value * 100]) });
  return {
    from: trace[0].at, to: trace[trace.length - 1].at, step: 0,
    series: [...measured.map(([member, name]) => ({ name, role: "value", points: trace.map((one) => [one.at, percentOf(one[member])]) })), limit("begins above", begins), limit("ends below", ends)],
  };
}
