// How much a message unfolds into. A frame of empty messages, two bytes each, would become a hundred times its size
// in objects, so large frames are counted before they are decoded.

import type { DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Ten thousand members with ten departed incarnations each unfold into a third of this. */
const ITEMS_MAX = 500_000;
/** Smaller frames cannot hold enough. */
const BYTES_MIN = 256 * 1024;

/** Whether these bytes hold more messages and map entries than any mesh needs. Bytes that are no message hold none. */
export function hasTooManyItems(schema: DescMessage, bytes: Uint8Array): boolean {
  if (bytes.length < BYTES_MIN) return false;
  try {
    return itemsLeft(schema, new BinaryReader(bytes), bytes.length, ITEMS_MAX) < 0;
  } catch {
    return false;
  }
}

/** How many of `left` are left after the items up to `end`; negative as soon as there are too many. */
function itemsLeft(schema: DescMessage, reader: BinaryReader, end: number, left: number): number {
  let remaining = left;
  while (reader.pos < end && remaining >= 0) {
    const [number, type] = reader.tag();
    const field =
      type === WireType.LengthDelimited ? schema.fields.find((f) => f.number === number) : undefined;
    if (field?.message === undefined && field?.fieldKind !== "map") {
      reader.skip(type, number);
      // Fields that are repeated add up whatever they hold.
      remaining--;
      continue;
    }
    const length = reader.uint32();
    remaining--;
    if (field.message === undefined) reader.pos += length;
    else remaining = itemsLeft(field.message, reader, reader.pos + length, remaining);
  }
  return remaining;
}
