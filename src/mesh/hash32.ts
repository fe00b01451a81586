// Hashes for choosing members. Every process must compute the same ones, in every version.

/** FNV-1a over the bytes (UTF-8 of a text), and then mixed, so that keys that differ in one bit lie far apart. */
export function hash32(key: string | Uint8Array): number {
  let hash = 0x811c9dc5;
  if (typeof key === "string" && isAscii(key)) {
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  } else {
    const bytes = typeof key === "string" ? Buffer.from(key) : key;
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  }
  return mix32(hash);
}

/** A bijection on 32 bits in which each bit of the input changes each bit of the output half of the time. */
export function mix32(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
