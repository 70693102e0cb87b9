// Audience: how many are there, how attentive and how amused; shows, and what they are worth. No identities.

import { h } from "../core/dom.js";
import { createTabs } from "../core/tabs.js";
import { crowd } from "./audience/crowd.js";
import { shows } from "./audience/shows.js";

export function open(main, store) {
  const tabs = createTabs("About the audience", [
    { id: "crowd", title: "Audience", make: () => crowd(store) },
    { id: "shows", title: "Shows", make: () => shows(store) },
  ]);
  main.append(h("div", { class: "page-head row apart" }, h("h1", {}, "Audience"), tabs.list), tabs.panel);
  return () => tabs.close();
}
