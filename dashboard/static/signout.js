// The way out, where one had to sign in.

import { get, signOut } from "./core/api.js";
import { h } from "./core/dom.js";
import { toast } from "./core/dialog.js";

export async function offerSignOut(header) {
  const session = await get("/api/session").catch(() => null);
  if (session?.needed && session.signed_in) header.append(h("button", { class: "button quiet", type: "button", onclick: leave }, "Sign out"));
}

const leave = () => signOut().catch((error) => toast(error.message, "bad"));
