// What a page is about: one camera or all, and how far back.

import { h } from "./dom.js";

const RANGES = { 900: "15 min", 3600: "1 h", 21600: "6 h", 86400: "1 day", 604800: "7 days", 2592000: "30 days" };

// A choice of one camera, or of all (""). Returns {element, close}; `onchoose` hears the id.
export function cameraChoice(store, onchoose, chosen = "") {
  const select = h("select", { "aria-label": "camera", onchange: () => onchoose(select.value) });
  const list = () => listCameras(select, store, chosen);
  const forget = store.on("cameras", list);
  list();
  return { element: h("span", { class: "field" }, select), close: forget };
}

// Buttons for how many seconds back; `onchoose` hears the seconds.
export function rangeChoice(onchoose, chosen, ranges = RANGES) {
  const element = h("div", { class: "segmented", role: "group", "aria-label": "range" });
  const show = (seconds) => [...element.children].forEach((button) => button.setAttribute("aria-pressed", button.value === String(seconds)));
  const choose = (seconds) => {
    show(seconds);
    onchoose(seconds);
  };
  element.append(...Object.entries(ranges).map(([seconds, words]) => h("button", { class: "button", type: "button", value: seconds, onclick: () => choose(Number(seconds)) }, words)));
  show(chosen);
  return { element, show };
}

// A camera that was chosen stays on the list when it is removed: what it saw is still there.
function listCameras(select, store, chosen) {
  const wanted = select.options.length ? select.value : chosen;
  const ids = ["", ...new Set([...store.cameras.keys(), ...(wanted ? [wanted] : [])].sort())];
  if (ids.join() === [...select.options].map((option) => option.value).join()) return;
  select.replaceChildren(...ids.map((id) => h("option", { value: id }, id || "all cameras")));
  select.value = wanted;
}
