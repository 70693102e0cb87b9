// Elements without a framework. Text is always text: nothing here parses HTML.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "class") element.className = value;
  else if (name === "style") Object.assign(element.style, value);
  else if (name === "value" || name === "checked") element[name] = value;
  else element.setAttribute(name, value === true ? "" : value);
}

// Changes a text only where it differs, so that nothing flickers and no selection is lost.
export function say(element, text) {
  const words = String(text);
  if (element.textContent !== words) element.textContent = words;
}

// Loads a stylesheet of pages, which is in force only while it is worn: pages need not know each other's class names.
export function loadStyle(name) {
  const there = styleOf(name);
  if (there) return there.sheet ? Promise.resolve() : loaded(there);
  const link = h("link", { rel: "stylesheet", href: `/static/style/${name}.css`, "data-page": name, media: "not all" });
  link.addEventListener("error", () => link.remove()); // asked for again the next time
  document.head.append(link);
  return loaded(link);
}

export function wearStyles(names) {
  for (const link of document.querySelectorAll("link[data-page]")) link.media = names.includes(link.dataset.page) ? "all" : "not all";
}

const styleOf = (name) => document.querySelector(`link[data-page="${name}"]`);
const loaded = (link) => new Promise((resolve) => ["load", "error"].forEach((kind) => link.addEventListener(kind, resolve)));
