// Pictures on their way to a person: dropped, chosen, or taken here; beside each what became of it.

import { toast } from "../../core/dialog.js";
import { h, say } from "../../core/dom.js";
import { pictureFrom } from "../../core/pictures.js";
import { takeSnapshot } from "../../core/snapshot.js";

const MOST = 20;

export class Gathering {
  #pictures = [];
  #list = h("ul", { class: "gathered", role: "list" });

  constructor() {
    const input = h("input", { type: "file", accept: "image/*", multiple: true, class: "visually-hidden", tabindex: -1, "aria-label": "Picture files", onchange: () => this.#chosen(input) });
    const place = h("div", { class: "drop" },
      h("p", { class: "muted" }, "One face a picture: sharp, well lit, from the front, at least 50 pixels high. Drop files here, or:"),
      h("div", { class: "row" },
        h("button", { class: "button", type: "button", onclick: () => input.click() }, "Choose pictures"), input,
        h("button", { class: "button", type: "button", onclick: () => this.#snapshot() }, "Take a snapshot")),
      this.#list);
    place.addEventListener("dragover", (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
    for (const kind of ["dragleave", "drop"]) place.addEventListener(kind, () => place.classList.remove("over"));
    place.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#take([...event.dataTransfer.files]);
    });
    this.element = place;
  }

  get isEmpty() {
    return this.waiting.length === 0;
  }

  // Those that were not taken yet.
  get waiting() {
    return this.#pictures.filter(({ isTaken }) => !isTaken);
  }

  // Sends one picture after the other by `send(blob)`, which returns what attempt() does; says beside each what became of it.
  async send(send) {
    for (const picture of this.waiting) {
      tell(picture, "is being looked at …", "muted");
      const answer = await send(picture.blob, (message) => tell(picture, message, "error"));
      if (!answer) continue;
      picture.isTaken = true;
      tell(picture, "enrolled", "good");
      picture.remove.hidden = true;
    }
  }

  close() {
    this.#pictures.forEach(({ url }) => URL.revokeObjectURL(url));
  }

  async #chosen(input) {
    const files = [...input.files];
    input.value = "";
    await this.#take(files);
  }

  async #snapshot() {
    const blob = await takeSnapshot();
    if (blob) await this.#take([new File([blob], "snapshot")]);
  }

  async #take(files) {
    if (this.#pictures.length + files.length > MOST) toast(`${MOST} pictures at once are the most: add the rest afterwards`, "bad");
    for (const file of files.slice(0, MOST - this.#pictures.length)) this.#add(await pictureFrom(file));
  }

  #add({ blob, name }) {
    const url = URL.createObjectURL(blob);
    const said = h("span", { role: "status" });
    const remove = h("button", { class: "button quiet", type: "button", "aria-label": `Leave out ${name}`, onclick: () => this.#leaveOut(picture) }, "✕");
    const element = h("li", {}, h("img", { src: url, alt: "" }), h("span", { class: "words" }, h("span", { class: "name" }, name), said), remove);
    const picture = { blob, url, said, remove, element, isTaken: false };
    this.#pictures.push(picture);
    this.#list.append(element);
  }

  #leaveOut(picture) {
    URL.revokeObjectURL(picture.url);
    this.#pictures = this.#pictures.filter((other) => other !== picture);
    picture.element.remove();
  }
}

function tell({ said }, words, level) {
  say(said, words);
  said.className = level;
}

// A picture as the API takes it, with what else is said.
export function formOf(blob, members = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(members)) if (value) form.append(name, value);
  if (blob) form.append("image", blob, "picture");
  return form;
}
