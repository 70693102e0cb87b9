// Who somebody is, in words; the same on boxes, tiles and lists.

// "Grace Hopper", "unknown, 4th visit", "unknown"; "" of a face that nobody tries to recognise.
export function whoIs({ Person, Unknown, Track }) {
  if (Person) return Person.Name;
  if (Unknown?.Visits > 1) return `unknown, ${ordinal(Unknown.Visits)} visit`;
  return Unknown || Track ? "unknown" : "";
}

// Whether a face counts: its camera has no zones or smallest size that it fails.
export const counts = (face) => !face.Ignored;

export const WHY_IGNORED = { zone: "not counted: outside of the zones", small: "not counted: too small" };

// Lets the faces of a track be who the event `person` says.
export function rename(result, { track, Person, Unknown }) {
  for (const face of result.FaceDetails ?? []) {
    if (face.Track !== track) continue;
    delete face.Person;
    delete face.Unknown;
    Object.assign(face, Person ? { Person } : Unknown ? { Unknown } : {});
  }
}

// Whether a camera's gate says that nothing is there to be looked at: its last analysed picture may then be old.
export const seesNobody = ({ status }) => ["nobody", "nothing moves"].includes(status.gate?.sees);

export function ordinal(count) {
  const last = count % 10;
  const isTeen = count % 100 > 10 && count % 100 < 14;
  return `${count}${isTeen ? "th" : (["", "st", "nd", "rd"][last] ?? "th")}`;
}
