// A picture with something drawn over it, at any size; pictures may be dropped on it, and places in it chosen.

import { h, say } from "../../core/dom.js";
import { pictureFrom, pictureIn } from "../../core/pictures.js";

// `onpick` gets a dropped picture, `onchoose` the index of a place that was clicked.
export function view(what, onpick, onchoose = () => {}) {
  const image = h("img", { alt: "", hidden: true, onload: fit, onerror: () => say(hint, "This browser cannot show the picture.") });
  const canvas = h("canvas", { "aria-hidden": "true" });
  const places = h("div", { class: "photo-places", "aria-hidden": "true" });
  const hint = h("p", { class: "photo-hint muted" });
  const frame = h("div", { class: "photo-frame" }, image, canvas, places);
  const element = h("div", { class: "photo-view card empty", ondragover: over, ondragleave: out, ondrop: dropped }, frame, hint);
  const watch = new ResizeObserver(redraw);
  let url = "", draw = () => {}, isClosed = false;
  watch.observe(image);
  say(hint, `Drop ${what} here, paste it, or take one of the ways above.`);

  function over(event) {
    event.preventDefault();
    element.classList.add("over");
  }

  function out() {
    element.classList.remove("over");
  }

  async function dropped(event) {
    event.preventDefault();
    out();
    const file = pictureIn(event.dataTransfer);
    if (file) onpick(await pictureFrom(file));
  }

  function fit() {
    image.hidden = false;
    redraw();
  }

  function redraw() {
    const { clientWidth: width, clientHeight: height } = image;
    const ratio = Math.min(3, devicePixelRatio || 1);
    Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    if (width && height) draw(context, width, height);
  }

  return {
    element,
    show(picture) {
      if (isClosed) return;
      URL.revokeObjectURL(url);
      image.hidden = true;
      url = picture.blob ? URL.createObjectURL(picture.blob) : "";
      if (url) image.src = url;
      else image.removeAttribute("src");
      image.alt = picture.name;
      element.classList.remove("empty");
      say(hint, [picture.s3 ? `${picture.s3} is read by whoever answers; it is not shown here.` : "", picture.note && `The picture was ${picture.note}.`].filter(Boolean).join(" "));
      this.draw(() => {});
    },
    // `boxes` are the places that may be clicked, as BoundingBoxes.
    draw(how, boxes = []) {
      draw = how;
      places.replaceChildren(...boxes.map((box, index) => h("div", {
        onclick: () => onchoose(index),
        style: { left: `${box.Left * 100}%`, top: `${box.Top * 100}%`, width: `${box.Width * 100}%`, height: `${box.Height * 100}%` },
      })));
      redraw();
    },
    close() {
      isClosed = true;
      watch.disconnect();
      URL.revokeObjectURL(url);
    },
  };
}

// Draws named boxes: [{box, text, color}], colours being names of tokens.
export function drawBoxes(context, boxes, width, height) {
  const style = getComputedStyle(document.documentElement);
  for (const { box, text, color } of boxes) {
    const [x, y, w, h] = [box.Left * width, box.Top * height, box.Width * width, box.Height * height];
    context.lineWidth = 3;
    context.strokeStyle = style.getPropertyValue(color);
    context.strokeRect(x, y, w, h);
    if (text) tag(context, text, x, y, width, style.getPropertyValue(color));
  }
}

function tag(context, text, x, y, width, color) {
  const size = Math.max(11, Math.min(15, width / 42));
  context.font = `600 ${size}px system-ui, sans-serif`;
  const wide = context.measureText(text).width + 12, tall = size * 1.5;
  const left = Math.max(0, Math.min(x - 1.5, width - wide)), top = Math.max(0, y - tall);
  context.fillStyle = "rgb(8 12 20 / 0.78)";
  context.fillRect(left, top, wide, tall);
  context.fillStyle = color;
  context.fillRect(left, top + tall - 2, wide, 2);
  context.fillStyle = "#ffffff";
  context.textBaseline = "middle";
  context.fillText(text, left + 6, top + tall / 2);
}
