// Keys as the cache knows them. On the wire a key is bytes; in here it is a text with one character for each byte, so
// that a Map can find it.

import { invalid } from "../mesh/errors.ts";

/** The bytes of a key, each as the character of that number. */
export type Key = string & { readonly __cacheKey: true };

/** @throws BlipError BLIP_INVALID_OPTIONS where it is neither text nor bytes, or too long. */
export function keyOf(given: unknown, bytesMax: number): Key {
  const key = typeof given === "string" ? fromText(given) : fromBytes(given);
  if (key.length > bytesMax) throw invalid("key", `at most ${bytesMax} bytes`, key.length);
  return key;
}

export function bytesOf(key: Key): Buffer {
  return Buffer.from(key, "latin1");
}

function fromText(text: string): Key {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return fromUnicode(text);
  }
  return text as Key;
}

function fromUnicode(text: string): Key {
  // UTF-8 has no halves of surrogate pairs: two different texts would become one key.
  if (/\p{Surrogate}/u.test(text))
    throw invalid("key", "well-formed text, without half a surrogate pair", text);
  return Buffer.from(text, "utf8").toString("latin1") as Key;
}

function fromBytes(bytes: unknown): Key {
  if (!(bytes instanceof Uint8Array)) throw invalid("key", "a text or a Uint8Array", bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1") as Key;
}
