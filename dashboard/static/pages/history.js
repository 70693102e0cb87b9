// History: what was seen, by time, camera, person and emotion; and whether it is all there.

import { h } from "../core/dom.js";
import { filters } from "./history/filters.js";
import { found } from "./history/found.js";
import { stateOf } from "./history/state.js";
import { status } from "./history/status.js";
import { timeline } from "./history/timeline.js";

export function open(main, store) {
  const state = stateOf();
  const parts = [status(), filters(store, state), timeline(state), found(store, state)];
  main.append(h("div", { class: "history stack" }, h("div", { class: "page-head row apart" }, h("h1", {}, "History"), parts[0].line), parts.map(({ element }) => element)));
  return () => parts.forEach((part) => part.close());
}
