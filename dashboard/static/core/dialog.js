// Dialogs and short messages.

import { h } from "./dom.js";

const TOAST_MS = 6000;

// Opens a modal dialog and returns it; Escape and × close it, and `onclose` hears of either.
export function openDialog(title, content, { wide = false, onclose = () => {} } = {}) {
  const dialog = h("dialog", { class: wide ? "wide" : "", "aria-label": title },
    h("div", { class: "head" },
      h("h2", {}, title),
      h("button", { class: "button quiet", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
    h("div", { class: "body" }, content));
  dialog.addEventListener("close", () => {
    dialog.remove();
    onclose();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export function toast(text, level = "") {
  const message = h("div", { class: `toast ${level}` }, text);
  document.getElementById("toasts").append(message);
  setTimeout(() => message.remove(), TOAST_MS);
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("copied", "good");
  } catch {
    toast("the browser did not allow copying: select the text and copy it by hand", "bad");
  }
}
