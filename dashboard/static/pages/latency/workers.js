// Who works: each worker process, where it runs and what its threads do.

import { now } from "../../core/clock.js";
import { h, say } from "../../core/dom.js";
import { age, number } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";

const COLUMNS = ["host", "process", "threads", "waiting", "calling", "idle", "version", "runs for"];

export function workers() {
  const rows = h("tbody");
  const none = h("p", { class: "error", hidden: true }, "no worker is running: start one with `rekstream work`");
  const table = h("table", { class: "table workers" }, h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col" }, name)))), rows);
  const element = h("section", { class: "card" }, h("h2", {}, "Workers"), none, table);
  return {
    element,
    update({ workers: { list = [] } }) {
      none.hidden = list.length > 0;
      table.hidden = list.length === 0;
      keyed(rows, list, (worker) => worker.name, newRow, showRow);
    },
  };
}

const newRow = (worker) => h("tr", {}, h("th", { scope: "row" }, worker.host), COLUMNS.slice(1).map(() => h("td", { class: "number" })));

function showRow(row, worker) {
  const isWhole = worker.alive === worker.threads;
  const threads = isWhole ? number(worker.threads) : `${number(worker.alive)} of ${number(worker.threads)}`;
  [worker.pid, threads, number(worker.waiting), number(worker.calling), number(worker.idle), worker.version, age(now() - worker.started_at)].forEach((text, index) => say(row.children[index + 1], text));
}
