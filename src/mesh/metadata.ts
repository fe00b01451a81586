// What a user says of the own member: checked, copied, and completed by what the mesh itself has to say.

import { MESH_NAME, type Metadata, PEER_SERVICE } from "../core/messages.ts";
import { invalid } from "./errors.ts";

/** Text travels as UTF-8. */
export type MetadataInit = Readonly<Record<string, string | Uint8Array>>;

/** Everything that every member must keep of this one: keys and values together. */
const METADATA_BYTES_MAX = 1024 * 1024;

/** What this library offers behind the service of that name: configuration sync and leave. */
const PEER_VERSION = "1";

const RESERVED_PREFIX = "blip.";

/** A service, as far as others see it. */
interface Served {
  readonly name: string;
  readonly metadata?: MetadataInit;
}

export function metadataOf(given: MetadataInit, services: readonly Served[], meshName?: string): Metadata {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalid("metadata", "an object of texts and Uint8Arrays", given);
  }
  const metadata: Record<string, Uint8Array> = Object.create(null);
  for (const [key, value] of Object.entries(given)) {
    if (key.startsWith(RESERVED_PREFIX)) {
      throw invalid(
        `metadata[${JSON.stringify(key)}]`,
        `a key that does not start with "${RESERVED_PREFIX}"`,
      );
    }
    if (services.some(({ name }) => name === key)) {
      throw invalid(`metadata[${JSON.stringify(key)}]`, "a key that is not the name of one of the services");
    }
    metadata[key] = bytesOf(key, value);
  }
  for (const { name } of services) metadata[name] = new Uint8Array();
  for (const { name, metadata: more = {} } of services) {
    for (const [key, value] of Object.entries(more)) {
      // A service may say more under its own name, as where there is nothing to say the value is empty.
      if (key !== name && Object.hasOwn(metadata, key)) {
        throw invalid(
          `metadata[${JSON.stringify(key)}]`,
          `one value for it; the service ${name} brings another`,
        );
      }
      metadata[key] = bytesOf(key, value);
    }
  }
  if (meshName !== undefined) metadata[MESH_NAME] = Buffer.from(meshName);
  metadata[PEER_SERVICE] = Buffer.from(PEER_VERSION);
  const bytes = sizeOf(metadata);
  if (bytes > METADATA_BYTES_MAX) throw invalid("metadata", `at most ${METADATA_BYTES_MAX} bytes`, bytes);
  return metadata;
}

function bytesOf(key: string, value: unknown): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  throw invalid(`metadata[${JSON.stringify(key)}]`, "a text or a Uint8Array", value);
}

function sizeOf(metadata: Metadata): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(metadata)) bytes += Buffer.byteLength(key) + value.length;
  return bytes;
}
