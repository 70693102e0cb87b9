// A picture as people bring it: a file, something pasted or dropped, a snapshot, an example, or a name on S3.

const MOST_BYTES = 15 * 1024 * 1024; // what the server takes
const LONGEST_SIDE = 4096;
const KINDS = [["jpeg", [0xff, 0xd8, 0xff]], ["png", [0x89, 0x50, 0x4e, 0x47]]];

// What the browser can read and Rekognition cannot (WebP, AVIF, GIF …), and what is too large to be sent, becomes a JPEG here.
// What the browser cannot read either goes as it is: the server says in a sentence what is wrong with it.
export async function pictureFrom(blob, name = blob.name ?? "picture") {
  const head = new Uint8Array(await blob.slice(0, 4).arrayBuffer());
  const isKnown = KINDS.some(([, magic]) => magic.every((byte, index) => head[index] === byte));
  if (isKnown && blob.size <= MOST_BYTES) return { blob, name, note: "" };
  const jpeg = await asJpeg(blob);
  if (!jpeg) return { blob, name, note: "" };
  return { blob: jpeg, name, note: isKnown ? "made smaller here, because the server takes 15 MB" : "made a JPEG here, because Rekognition takes JPEG and PNG" };
}

export const pictureOnS3 = (s3) => ({ s3, name: s3, note: "" });

// Returns a JPEG of an image or video in that size.
export function drawn(source, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(source, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}

// The picture in what was dropped or pasted, null when there is none.
export function pictureIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/") || /\.(jpe?g|png|heic|heif)$/i.test(file.name)) ?? null;
}

async function asJpeg(blob) {
  const bitmap = await createImageBitmap(blob).catch(() => null);
  if (!bitmap) return null;
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const jpeg = drawn(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  bitmap.close();
  return jpeg;
}
