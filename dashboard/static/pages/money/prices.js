// The prices that everything was counted with, step by step, with where they come from; people can correct the file.

import { h } from "../../core/dom.js";
import { number } from "../../core/format.js";

export function pricesCard() {
  const rows = h("tbody");
  const head = ["Region", "Operations", "From the call", "$ for 1,000 calls", "Source"].map((name) => h("th", { scope: "col" }, name));
  const element = h("details", { class: "card" }, h("summary", {}, "The prices that this was counted with"),
    h("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": "Prices" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, head)), rows)));
  let shown = "";
  return {
    element,
    update(prices) {
      const state = JSON.stringify(prices);
      if (state === shown) return;
      shown = state;
      rows.replaceChildren(...prices.flatMap(({ region, operations, assumed, steps }) => steps.map((step, index) => h("tr", {},
        h("th", { scope: "row" }, index ? "" : region), h("td", { class: "operations" }, index ? "" : operations.join(", ")),
        h("td", { class: "number" }, number(step.calls_from)), h("td", { class: "number" }, number(Number((step.dollars * 1000).toFixed(4)))),
        h("td", {}, sourceOf(step, assumed))))));
    },
  };
}

function sourceOf({ source, date, assumed }, isAssumed) {
  const link = /^https:/.test(source ?? "") ? h("a", { href: source, rel: "noreferrer" }, new URL(source).hostname) : source;
  return h("span", {}, link ?? "", date ? `, ${date}` : "", assumed || isAssumed ? h("span", { class: "badge warn" }, "assumed") : "");
}
