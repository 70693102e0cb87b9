// Latency: how old what you see is, what that is made of, and what would change it.

import { h } from "../core/dom.js";
import { accounts } from "./latency/accounts.js";
import { charts } from "./latency/charts.js";
import { rehearse } from "./latency/rehearse.js";
import { sentence } from "./latency/sentence.js";
import { whatIf } from "./latency/what_if.js";
import { workers } from "./latency/workers.js";
import { worst } from "./latency/worst.js";

export function open(main, store) {
  const parts = [sentence(store), accounts(store), charts(store), worst(store), whatIf(store), workers(store), rehearse(store)];
  main.append(h("div", { class: "latency stack" }, parts.map((part) => part.element)));
  const update = (stats) => stats && parts.forEach((part) => part.update?.(stats));
  const forget = store.on("stats", update);
  update(store.stats);
  return () => {
    forget();
    parts.forEach((part) => part.close?.());
  };
}
