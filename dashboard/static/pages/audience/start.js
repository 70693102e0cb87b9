// The form that starts a show.

import { attempt, post } from "../../core/api.js";
import { openDialog } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";

export function openStart(store, onstarted) {
  const problem = h("p", { class: "error", role: "status" });
  const name = h("input", { required: true, maxlength: 80, autocomplete: "off", placeholder: "Saturday, late" });
  const price = h("input", { type: "number", min: 0, step: "any", inputmode: "decimal" });
  const currency = h("input", { value: "USD", maxlength: 3, autocomplete: "off" });
  const gone = h("input", { type: "datetime-local" });
  const cameras = [...store.cameras.keys()].sort().map((id) => h("input", { type: "checkbox", value: id }));

  const start = async (event) => {
    event.preventDefault();
    const chosen = cameras.filter((box) => box.checked).map((box) => box.value);
    const body = { name: name.value.trim(), cameras: chosen };
    if (price.value) Object.assign(body, { price: Number(price.value), currency: currency.value.trim().toUpperCase() });
    if (gone.value) body.gone_at = new Date(gone.value).getTime() / 1000;
    if (!(await attempt(() => post("/api/shows", body), (message) => say(problem, message)))) return;
    dialog.close();
    onstarted();
  };
  const form = h("form", { class: "stack", onsubmit: start },
    field("Name", name),
    h("fieldset", { class: "cameras" }, h("legend", {}, "Cameras (none chosen: all)"), cameras.map((box) => h("label", { class: "field check" }, box, box.value))),
    h("div", { class: "pair" }, field("Price of a laugh", price, "leave it out to count only"), field("Currency", currency)),
    field("Delete its data at", gone, "all that was kept of its time and cameras: visits, alerts and the receipt, too; leave it out to keep it as long as the history"),
    problem,
    h("div", { class: "row" }, h("button", { class: "button primary" }, "Start")));
  const dialog = openDialog("Start a show", form);
  dialog.classList.add("audience");
}

const field = (words, input, hint = "") => h("label", { class: "field" }, words, hint && h("span", { class: "hint" }, hint), input);
