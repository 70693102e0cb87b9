// Placeholder until its own slice lands.
import { h } from "../core/dom.js";

export function open(main) {
  main.append(h("h1", {}, "latency"), h("p", { class: "muted" }, "This page is being built."));
  return () => {};
}
