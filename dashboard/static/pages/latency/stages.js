// The stages from the lens to the screen: their names, and the bar that shows how long each takes.

import { h, say } from "../../core/dom.js";
import { percent } from "../../core/format.js";
import { duration } from "../../core/scale.js";

// The colours of the bar, by number of the theme's series; style/latency.css has the same.
export const COLOURS = { encode: 6, queue: 3, limit: 2, upload: 4, service: 1, publish: 7, paint: 5 };
const READABLE = 120; // pixels from which a segment can hold its name

export const STAGES = {
  encode: "making a JPEG of what the camera saw",
  queue: "waiting in the camera's mailbox for a worker's thread",
  limit: "waiting for a slot of the shared rate limit",
  upload: "sending the picture to Rekognition",
  service: "Rekognition looks at the picture",
  publish: "writing the result where everybody reads it",
  paint: "from there to the pixels of this screen",
};

export const totalOf = (stages) => Object.values(stages).reduce((sum, seconds) => sum + seconds, 0);

// Returns {element, update(stages by name, longest)}: segments in proportion, of a bar that is `longest` seconds long when full.
export function stageBar(title) {
  const segments = Object.fromEntries(Object.keys(STAGES).map((name) => [name, h("span", { class: `segment ${name}` })]));
  const element = h("div", { class: "stagebar", role: "img" }, Object.values(segments));
  return {
    element,
    update(stages, longest = totalOf(stages)) {
      const wide = element.clientWidth;
      for (const [name, segment] of Object.entries(segments)) {
        const seconds = stages[name] ?? 0;
        const share = longest ? seconds / longest : 0;
        segment.style.width = `${(share * 100).toFixed(2)}%`;
        segment.title = `${name}: ${duration(seconds)}`;
        say(segment, share * wide >= READABLE ? `${name} ${duration(seconds)}` : "");
      }
      const total = totalOf(stages);
      const words = Object.keys(STAGES).filter((name) => stages[name] > 0).map((name) => `${name} ${percent(stages[name] / total)}`);
      element.setAttribute("aria-label", `${title}: ${duration(total)}, of it ${words.join(", ")}`);
    },
  };
}
