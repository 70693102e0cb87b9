// The ways to a picture, in one row: choose, snapshot, examples, S3. Dropping is the business of the view beside it.

import { h } from "../../core/dom.js";
import { toast } from "../../core/dialog.js";
import { pictureFrom, pictureOnS3 } from "../../core/pictures.js";
import { takeSnapshot } from "../../core/snapshot.js";

const EXAMPLES = [
  { file: "astronaut.png", title: "Eileen Collins" },
  { file: "grace_hopper.jpg", title: "Grace Hopper" },
];

// `onpick` gets each picture; `what` names it for screen readers ("the picture", "the first picture").
export function picker(what, onpick) {
  const input = h("input", { type: "file", accept: "image/*", class: "visually-hidden", tabindex: -1, "aria-label": `File of ${what}`, onchange: chosen });
  const address = h("input", { type: "text", placeholder: "s3://bucket/photo.jpg", autocomplete: "off", spellcheck: "false", "aria-label": `S3 address of ${what}` });
  const place = h("form", { class: "photo-s3 row", hidden: true, onsubmit: named }, address, h("button", { class: "button" }, "Use it"));
  const toggle = h("button", { class: "button", type: "button", "aria-expanded": "false", "aria-label": `Take ${what} from S3`, onclick: unfold }, "S3");

  async function chosen() {
    const [file] = input.files;
    input.value = "";
    if (file) onpick(await pictureFrom(file));
  }

  async function snapshot() {
    const blob = await takeSnapshot();
    if (blob) onpick(await pictureFrom(blob, "snapshot"));
  }

  async function example({ file, title }) {
    const response = await fetch(`/static/examples/${file}`).catch(() => null);
    if (response?.ok) onpick(await pictureFrom(await response.blob(), title));
    else toast("the example is not there: is rekstream running?", "bad");
  }

  function unfold() {
    place.hidden = !place.hidden;
    toggle.setAttribute("aria-expanded", !place.hidden);
    if (!place.hidden) address.focus();
  }

  function named(event) {
    event.preventDefault();
    if (address.value.trim()) onpick(pictureOnS3(address.value.trim()));
  }

  return h("div", { class: "photo-picker" },
    h("div", { class: "row" },
      h("button", { class: "button primary", type: "button", onclick: () => input.click(), "aria-label": `Choose ${what}` }, "Choose"),
      input,
      h("button", { class: "button", type: "button", onclick: snapshot, "aria-label": `Take a snapshot as ${what}` }, "Snapshot"),
      EXAMPLES.map((one) => h("button", { class: "photo-example", type: "button", title: one.title, onclick: () => example(one), "aria-label": `Example: ${one.title}` },
        h("img", { src: `/static/examples/${one.file}`, alt: "", width: 40, height: 40 }))),
      toggle),
    place);
}
