// What the month will have cost at its end, if it goes on as in the last hour, day, week.

import { h, say } from "../../core/dom.js";
import { day, dollars, number } from "../../core/format.js";
import { keyed } from "../../core/keyed.js";
import { spanWords } from "./words.js";

export function forecastCard() {
  const rows = h("tbody");
  const end = h("p", { class: "muted note" });
  const none = h("p", { class: "muted" }, "Nothing was called in the last week.");
  const head = ["as in the last", "calls a day", "the month costs"].map((name, index) => h("th", { scope: "col", class: index ? "end" : "" }, name));
  const table = h("table", { class: "table" }, h("thead", {}, h("tr", {}, head)), rows);
  const element = h("section", { class: "card" }, h("h2", {}, "If it goes on"), none, table, end);
  return {
    element,
    update({ forecasts, end: until }) {
      none.hidden = forecasts.length > 0;
      table.hidden = !forecasts.length;
      say(end, `the month ends on ${day(until)}`);
      keyed(rows, forecasts, ({ seconds }) => seconds, ({ seconds }) => h("tr", {}, h("th", { scope: "row" }, spanWords(seconds)), h("td", { class: "number" }), h("td", { class: "number" })), (row, one) => {
        say(row.children[1], number(Math.round(one.calls_per_day)));
        say(row.children[2], one.dollars || !one.would_cost ? dollars(one.dollars) : `${dollars(one.would_cost)} on AWS`);
      });
    },
  };
}
