// What Rekognition can say of a face, by the names that it is asked for, and how that reads.

export const ATTRIBUTES = {
  AGE_RANGE: { member: "AgeRange", name: "age" },
  GENDER: { member: "Gender", name: "gender" },
  SMILE: { member: "Smile", name: "smile", words: ["yes", "no"] },
  EMOTIONS: { member: "Emotions", name: "emotions" },
  EYES_OPEN: { member: "EyesOpen", name: "eyes", words: ["open", "closed"] },
  MOUTH_OPEN: { member: "MouthOpen", name: "mouth", words: ["open", "closed"] },
  EYEGLASSES: { member: "Eyeglasses", name: "eyeglasses", words: ["yes", "no"] },
  SUNGLASSES: { member: "Sunglasses", name: "sunglasses", words: ["yes", "no"] },
  BEARD: { member: "Beard", name: "beard", words: ["yes", "no"] },
  MUSTACHE: { member: "Mustache", name: "mustache", words: ["yes", "no"] },
  FACE_OCCLUDED: { member: "FaceOccluded", name: "covered face", words: ["yes", "no"] },
  EYE_DIRECTION: { member: "EyeDirection", name: "eye direction" },
};

// Rows of [name, words, confidence in percent or null]: of emotions and quality, which are several figures each, there is none.
export function factsOf(face) {
  const told = Object.values(ATTRIBUTES).filter(({ member, words }) => words && face[member]);
  return [
    face.AgeRange && ["age", `${face.AgeRange.Low}–${face.AgeRange.High}`, null],
    face.Gender && ["gender", face.Gender.Value === "Female" ? "woman" : "man", face.Gender.Confidence],
    ...told.map(({ member, name, words: [yes, no] }) => [name, face[member].Value ? yes : no, face[member].Confidence]),
    face.EyeDirection && ["eye direction", angles(face.EyeDirection, ["Yaw", "Pitch"]), face.EyeDirection.Confidence],
    face.Pose && ["pose", angles(face.Pose, ["Yaw", "Pitch", "Roll"]), null],
  ].filter(Boolean);
}

const angles = (pose, names) => names.map((name) => `${name.toLowerCase()} ${Math.round(pose[name])}°`).join(" · ");
