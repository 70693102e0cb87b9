// Which attributes of a face are asked for: all, Rekognition's default, or some.

import { ATTRIBUTES } from "../../core/attributes.js";
import { h } from "../../core/dom.js";

const DEFAULT = []; // box, confidence, landmarks, pose and quality come always

// `onchange` hears of each change; `value` is what the API takes, `asked` the names that it stands for.
export function attributeChoice(onchange) {
  const boxes = Object.entries(ATTRIBUTES).map(([id, { name }]) => [id, name, h("input", { type: "checkbox", checked: true })]);
  const some = h("fieldset", { class: "photo-some row", hidden: true },
    h("legend", { class: "visually-hidden" }, "Attributes to ask for"),
    boxes.map(([, words, box]) => h("label", { class: "field check" }, box, words)));
  const select = h("select", { "aria-label": "Attributes" },
    h("option", { value: "all" }, "all attributes"), h("option", { value: "default" }, "no attributes"), h("option", { value: "some" }, "some attributes …"));
  select.addEventListener("change", () => {
    some.hidden = select.value !== "some";
    onchange();
  });
  some.addEventListener("change", onchange);
  const picked = () => boxes.filter(([, , box]) => box.checked).map(([name]) => name);

  return {
    element: h("div", { class: "photo-choice" }, h("div", { class: "field" }, select), some),
    get value() {
      return select.value === "some" ? picked().join(",") || "default" : select.value;
    },
    get asked() {
      return { all: Object.keys(ATTRIBUTES), default: DEFAULT, some: picked() }[select.value];
    },
  };
}
