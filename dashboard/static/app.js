// Starts what every page has, and opens the page that the address names.

import { h, loadStyle, say, wearStyles } from "./core/dom.js";
import { store } from "./core/store.js";
import { showVitals } from "./header.js";
import { offerSignOut } from "./signout.js";

const PAST = ["pages", "chart"]; // the styles that pages about the past share
const PAGES = {
  "/": { title: "Live", name: "live" },
  "/camera": { title: "Your camera", name: "camera" },
  "/photo": { title: "Photo", name: "photo" },
  "/people": { title: "People", name: "people" },
  "/history": { title: "History", name: "history", styles: PAST },
  "/audience": { title: "Audience", name: "audience", styles: PAST },
  "/attendance": { title: "Attendance", name: "attendance", styles: PAST },
  "/latency": { title: "Latency", name: "latency", styles: ["chart"] },
  "/money": { title: "Money", name: "money", styles: PAST },
};
const main = document.getElementById("page");
const nav = document.getElementById("pages");
const menu = document.getElementById("menu"); // opens the nav where the screen is too narrow to show it
let close = () => {};
let turn = 0; // pages load asynchronously: only the last one asked for is shown
let asked = "";

async function show(path) {
  const page = PAGES[path] ?? PAGES["/"];
  const mine = ++turn;
  asked = path;
  document.title = `${page.title} · rekstream`;
  menu.textContent = page.title;
  nav.hidePopover?.();
  for (const link of nav.querySelectorAll("a")) {
    if (link.pathname === path) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const styles = [...(page.styles ?? []), page.name];
  const [module] = await Promise.all([import(`./pages/${page.name}.js`), ...styles.map(loadStyle)]).catch((error) => [error]);
  if (mine !== turn) return;
  close();
  close = () => {};
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close()); // they belong to the page that is left
  main.replaceChildren();
  wearStyles(styles);
  if (module instanceof Error) main.append(h("p", { class: "error" }, "this page could not be loaded: is rekstream running? Reload to try again."));
  else close = module.open(main, store);
}

// Back and forth; a new hash alone is the open page's own business.
function goBack() {
  if (location.pathname !== asked) show(location.pathname);
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
  });
}

useTheme();
document.addEventListener("click", follow);
addEventListener("popstate", goBack);
store.on("connection", sayWhetherConnected);
store.start();
showVitals(document.getElementById("vitals"), store);
offerSignOut(document.querySelector(".top"));
show(location.pathname);
