// The corners of a zone or mask as numbers that people read and write: percent of the picture's width and height.

const PAIR = /^(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)$/;
const FEWEST = 3;
const DIGITS = 4;

export const rounded = (corner) => corner.map((part) => Number(part.toFixed(DIGITS)));

// "25,50 75,50 75,100"
export const written = (corners) => corners.map((corner) => corner.map((part) => Number((part * 100).toFixed(1))).join(",")).join(" ");

// The corners that a text names, null when it names none, or some outside of the picture.
export function understood(text) {
  const pairs = text.trim().replace(/\s*,\s*/g, ",").split(/[\s;]+/).map((word) => PAIR.exec(word));
  if (pairs.length < FEWEST || pairs.includes(null)) return null;
  const corners = pairs.map(([, x, y]) => [Number(x) / 100, Number(y) / 100]);
  return corners.flat().every((part) => part <= 1) ? corners : null;
}

// The middle between a corner and the next.
export function between(corners, index) {
  const [first, second] = [corners[index], corners[(index + 1) % corners.length]];
  return first.map((part, axis) => (part + second[axis]) / 2);
}
