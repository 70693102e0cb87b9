// The way out, where one had to sign in.

import { del, get } from "./core/api.js";
import { h } from "./core/dom.js";
import { toast } from "./core/dialog.js";

export async function offerSignOut(header) {
  const session = await get("/api/session").catch(() => null);
  if (session?.needed && session.signed_in) header.append(h("button", { class: "button quiet", type: "button", onclick: signOut }, "Sign out"));
}

async function signOut() {
  try {
    await del("/api/session");
    location.assign("/login");
  } catch (error) {
    toast(error.message, "bad");
  }
}
