// Which broadcast this is, found without decoding it: nine of ten deliveries are repetitions, and to say so must be
// cheap. Only varints and lengths are looked at; whatever looks odd is left for the codec to judge.

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const UNIX = 1;
const UNIQUE = 2;
const BODY_FIRST = 3;
const BODY_LAST = 8;

/**
 * The id of an encoded broadcast, as a key: the bytes of its varints, with the tag between. `undefined` where the bytes
 * are no broadcast, have no body, or are not written the usual way.
 */
export function peekBroadcastId(bytes: Buffer): string | undefined {
  let unixAt = 0;
  let unixEnd = 0;
  let uniqueAt = 0;
  let uniqueEnd = 0;
  let hasBody = false;
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const field = tag >> 3;
    const isNumber = field === UNIX || field === UNIQUE;
    const isBody = field >= BODY_FIRST && field <= BODY_LAST;
    const start = at;
    at = endOfVarint(bytes, at);
    if ((tag & 7) === VARINT && !isBody) {
      if (field === UNIX) [unixAt, unixEnd] = [start, at];
      else if (field === UNIQUE) [uniqueAt, uniqueEnd] = [start, at];
    } else if ((tag & 7) === LENGTH_DELIMITED && !isNumber) {
      at += lengthAt(bytes, start, at);
      hasBody ||= isBody;
    } else return undefined;
    // Also where a varint did not end: it then "ends" beyond the bytes. Fields above 15 have longer tags.
    if (at > bytes.length || tag > 0x7f) return undefined;
  }
  // One piece of text takes a third of what two would that are put together.
  const isUsual = hasBody && unixAt > 0 && uniqueAt === unixEnd + 1;
  return isUsual ? bytes.toString("latin1", unixAt, uniqueEnd) : undefined;
}

function endOfVarint(bytes: Buffer, start: number): number {
  for (let at = start; at < start + 10; at++) if (!(bytes[at]! & 0x80)) return at + 1;
  return Infinity;
}

/** The value of a short varint; lengths beyond 2^28 are beyond every message. */
function lengthAt(bytes: Buffer, start: number, end: number): number {
  if (end - start > 4) return Infinity;
  let value = 0;
  for (let at = end - 1; at >= start; at--) value = (value << 7) | (bytes[at]! & 0x7f);
  return value;
}
