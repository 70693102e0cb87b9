// Starts what every page has, and opens the page that the address names.

import { h, say } from "./core/dom.js";
import { store } from "./core/store.js";
import { showVitals } from "./header.js";
import { offerSignOut } from "./signout.js";

const PAGES = {
  "/": { title: "Live", module: "./pages/live.js" },
  "/camera": { title: "Your camera", module: "./pages/camera.js" },
  "/photo": { title: "Photo", module: "./pages/photo.js" },
  "/latency": { title: "Latency", module: "./pages/latency.js" },
};
const main = document.getElementById("page");
let close = () => {};
let turn = 0; // pages load asynchronously: only the last one asked for is shown

async function show(path) {
  const page = PAGES[path] ?? PAGES["/"];
  const mine = ++turn;
  document.title = `${page.title} · rekstream`;
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.pathname === path) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const module = await import(page.module).catch((error) => error);
  if (mine !== turn) return;
  close();
  close = () => {};
  main.replaceChildren();
  if (module instanceof Error) main.append(h("p", { class: "error" }, "this page could not be loaded: is rekstream running? Reload to try again."));
  else close = (await module.open(main, store)) ?? (() => {});
}

function follow(event) {
  const link = event.target.closest?.("a[href]");
  const isOurs = link && link.origin === location.origin && link.pathname in PAGES && !link.target && !link.hash && !link.hasAttribute("download");
  if (!isOurs || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (link.pathname !== location.pathname) history.pushState(null, "", link.pathname);
  show(link.pathname);
  main.focus();
}

function sayWhetherConnected() {
  const away = document.getElementById("away");
  away.hidden = store.connected || !store.why;
  say(away, store.why);
  document.documentElement.toggleAttribute("data-away", !away.hidden);
}

function useTheme() {
  const root = document.documentElement;
  const chosen = localStorage.getItem("theme");
  if (chosen) root.dataset.theme = chosen;
  document.getElementById("theme").addEventListener("click", () => {
    const isDark = getComputedStyle(root).colorScheme === "dark";
    root.dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    store.dispatchEvent(new CustomEvent("theme"));
  });
}

useTheme();
document.addEventListener("click", follow);
addEventListener("popstate", () => show(location.pathname));
store.on("connection", sayWhetherConnected);
store.start();
showVitals(document.getElementById("vitals"), store);
offerSignOut(document.querySelector(".top"));
show(location.pathname);
