// One question at a time: a newer one ends the older, whose answer nobody waits for any more.

import { h, say } from "../../core/dom.js";
import { post } from "../../core/api.js";

// `path` is the route; `show` gets each answer. The element tells what is going on, or what went wrong.
export function asking(path, show) {
  const element = h("p", { class: "photo-state", role: "status" });
  let running = null;
  let isClosed = false;

  return {
    element,
    // `pictures` by the route's names; `options` as form fields, those that are "" left out.
    async ask(pictures, options) {
      if (isClosed) return; // a picture that was still being read when its page was left
      running?.abort();
      const mine = (running = new AbortController());
      tell(element, "analysing …", "muted");
      const form = new FormData();
      for (const [name, value] of Object.entries(options)) if (value !== "") form.append(name, value);
      for (const [name, picture] of Object.entries(pictures)) add(form, name, picture);
      try {
        const answer = await post(path, form, { signal: mine.signal });
        tell(element, "");
        show(answer);
      } catch (error) {
        if (error.name !== "AbortError") tell(element, error.message, "error");
      }
    },
    close() {
      isClosed = true;
      running?.abort();
    },
  };
}

function add(form, name, picture) {
  if (picture.blob) form.append(name, picture.blob, "picture");
  else form.append(name === "image" ? "s3" : name, picture.s3);
}

function tell(element, text, level = "") {
  element.className = `photo-state ${level}`;
  say(element, text);
}
