// A list of which one is chosen, by click or arrow keys.

import { h } from "../../core/dom.js";

export function listbox(name, onchoose) {
  const element = h("ul", { class: "photo-list", role: "listbox", "aria-label": name, onkeydown: move });
  let chosen = 0;

  function move(event) {
    const last = element.children.length - 1;
    const next = { ArrowDown: chosen + 1, ArrowRight: chosen + 1, ArrowUp: chosen - 1, ArrowLeft: chosen - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onchoose(Math.max(0, Math.min(last, next)));
    element.children[chosen]?.focus();
  }

  return {
    element,
    // `rows` are [title, words].
    fill(rows) {
      element.replaceChildren(...rows.map(([title, words], index) => h("li", { role: "option", id: `${name}-${index}`, onclick: () => onchoose(index) },
        h("strong", {}, title), " ", h("span", {}, words))));
      element.hidden = !rows.length;
    },
    mark(index) {
      chosen = index;
      [...element.children].forEach((row, at) => {
        row.setAttribute("aria-selected", at === index);
        row.tabIndex = at === index ? 0 : -1;
      });
    },
  };
}
