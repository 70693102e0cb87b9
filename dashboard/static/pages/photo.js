// One picture, or two: faces with all attributes, a comparison, labels. A tab for each question.

import { h } from "../core/dom.js";
import { pictureFrom, pictureIn } from "../core/pictures.js";
import { createTabs } from "../core/tabs.js";
import { comparison } from "./photo/comparison.js";
import { faces } from "./photo/faces.js";
import { labels } from "./photo/labels.js";

export function open(main) {
  const desk = { picture: null }; // what was picked last goes along from tab to tab
  const tabs = createTabs("What to ask of the picture", [
    { id: "faces", title: "Faces", make: () => faces(desk) },
    { id: "compare", title: "Compare", make: () => comparison(desk) },
    { id: "labels", title: "Labels", make: () => labels(desk) },
  ]);

  async function paste(event) {
    const file = pictureIn(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    tabs.current.take(await pictureFrom(file, "pasted picture"));
  }

  document.addEventListener("paste", paste);
  main.append(h("div", { class: "photo-head row apart" }, h("h1", {}, "Photo"), tabs.list), tabs.panel);
  return () => {
    document.removeEventListener("paste", paste);
    tabs.close();
  };
}
