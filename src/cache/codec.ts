// Between the bytes that travel and are held, and the values that users work with.

/** Makes bytes of a value, and the value of bytes. */
export interface Codec<V> {
  encode(value: V): Uint8Array;
  /** The bytes are a copy, which the value may be a window on; unless `onlyReads` is said. */
  decode(bytes: Uint8Array): V;
  /** Nothing of the bytes lives on in the value, so that no copy has to be made. */
  readonly onlyReads?: boolean;
}

/** Values that are text, as UTF-8. */
export const textCodec: Codec<string> = {
  encode: (text) => {
    if (typeof text !== "string") throw new TypeError(`a text is expected, got ${typeof text}`);
    // UTF-8 has none, and something else would come out again.
    if (/\p{Surrogate}/u.test(text)) throw new TypeError("a text has half a surrogate pair");
    return Buffer.from(text, "utf8");
  },
  decode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  onlyReads: true,
};

/** Values that JSON knows. */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode: (value) => {
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) throw new TypeError(`JSON has no ${typeof value}`);
      return textCodec.encode(text);
    },
    decode: (bytes) => JSON.parse(textCodec.decode(bytes)),
    onlyReads: true,
  };
}

/** Values that are bytes already. */
export const bytesCodec: Codec<Uint8Array> = { encode: (bytes) => bytes, decode: (bytes) => bytes };
