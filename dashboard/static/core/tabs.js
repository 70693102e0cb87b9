// Tabs over one panel, by mouse and arrow keys; which one is open stands in the address.

import { h } from "./dom.js";

// `tabs`: [{id, title, make}]; `make` returns {element, close}. Returns {list, panel, current, close}: the first two are elements.
export function createTabs(label, tabs) {
  const panel = h("div", { role: "tabpanel", id: "tab-panel", "aria-labelledby": "", tabindex: -1 });
  const buttons = tabs.map((tab) => h("button", {
    class: "tab", type: "button", role: "tab", id: `tab-${tab.id}`, "aria-controls": panel.id, onclick: () => choose(tab),
  }, tab.title));
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": label, onkeydown: move }, buttons);
  const self = { list, panel, current: null, close: () => self.current.close() };

  function choose(tab) {
    self.current?.close();
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", tabs[index] === tab);
      button.tabIndex = tabs[index] === tab ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${tab.id}`);
    self.current = tab.make();
    panel.replaceChildren(self.current.element);
    history.replaceState(null, "", tab === tabs[0] ? location.pathname : `#${tab.id}`);
  }

  function move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    choose(tabs[next]);
    buttons[next].focus();
    event.preventDefault();
  }

  choose(tabs.find((tab) => location.hash === `#${tab.id}`) ?? tabs[0]);
  return self;
}
