// People: who is known, who was seen, what one wants to hear of, and what was done with all that.

import { h } from "../core/dom.js";
import { createTabs } from "../core/tabs.js";
import { alerts } from "./people/alerts.js";
import { known } from "./people/known.js";
import { log } from "./people/log.js";
import { seen } from "./people/seen.js";

export function open(main, store) {
  const tabs = createTabs("About people", [
    { id: "known", title: "Known", make: () => known(store) },
    { id: "seen", title: "Seen", make: () => seen(store) },
    { id: "alerts", title: "Alerts", make: () => alerts(store) },
    { id: "log", title: "Log", make: () => log() },
  ]);
  main.append(h("div", { class: "people-head row apart" }, h("h1", {}, "People"), tabs.list), tabs.panel);
  return () => tabs.close();
}
