// One picture, or two: faces with all attributes, a comparison, labels. A tab for each question.

import { h } from "../core/dom.js";
import { comparison } from "./photo/comparison.js";
import { faces } from "./photo/faces.js";
import { labels } from "./photo/labels.js";
import { pictureFrom, pictureIn } from "./photo/pictures.js";

const TABS = [
  { id: "faces", title: "Faces", make: faces },
  { id: "compare", title: "Compare", make: comparison },
  { id: "labels", title: "Labels", make: labels },
];

export function open(main) {
  const desk = { picture: null }; // what was picked last goes along from tab to tab
  const panel = h("div", { role: "tabpanel", id: "photo-panel", "aria-labelledby": "", tabindex: -1 });
  let current = null;
  const buttons = TABS.map((tab) => h("button", {
    class: "tab", type: "button", role: "tab", id: `tab-${tab.id}`, "aria-controls": panel.id, onclick: () => choose(tab),
  }, tab.title));

  function choose(tab) {
    current?.close();
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", TABS[index] === tab);
      button.tabIndex = TABS[index] === tab ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${tab.id}`);
    current = tab.make(desk);
    panel.replaceChildren(current.element);
    history.replaceState(null, "", tab === TABS[0] ? location.pathname : `#${tab.id}`);
  }

  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + TABS.length) % TABS.length;
    choose(TABS[next]);
    buttons[next].focus();
    event.preventDefault();
  }

  async function paste(event) {
    const file = pictureIn(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    current.take(await pictureFrom(file, "pasted picture"));
  }

  document.addEventListener("paste", paste);
  main.append(
    h("div", { class: "photo-head row apart" },
      h("h1", {}, "Photo"),
      h("div", { class: "tabs", role: "tablist", "aria-label": "What to ask of the picture", onkeydown: move }, buttons)),
    panel);
  choose(TABS.find((tab) => location.hash === `#${tab.id}`) ?? TABS[0]);
  return () => {
    document.removeEventListener("paste", paste);
    current.close();
  };
}
