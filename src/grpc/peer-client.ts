// Asks a member for the configuration it is in, or orders it something, from outside of the mesh: for the command line.

import { Client, credentials, status } from "@grpc/grpc-js";
import type { Endpoint } from "../core/endpoint.ts";
import { ORDER_MS } from "../core/last-resort.ts";
import type { RefusalCode } from "../core/messages.ts";
import { Channels } from "./channels.ts";
import { Malformed } from "./fields.ts";
import { PATHS, SYNC, WATCH } from "./methods.ts";
import { encodeOrder, type Order } from "./order-codec.ts";
import { type Configuration, decodeConfiguration } from "./peer-codec.ts";
import { nameOf } from "./status.ts";
import type { TlsIdentity } from "./tls-identity.ts";
import { unary } from "./unary.ts";

export interface PeerClientOptions {
  /** What to show to a member that speaks TLS, and whom to trust. */
  readonly identity?: TlsIdentity | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Why a member did not tell. `code` is gRPC's: "unimplemented" comes from a Rust member, "unavailable" where nobody
 * answers and from a member that is in no configuration yet.
 */
export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

const TIMEOUT_MS = 5000;
const EMPTY = Buffer.alloc(0);

/**
 * The configuration that the member at this address is in.
 * @throws PeerError where it does not say, and the signal's reason where it was aborted.
 */
export async function fetchConfiguration(
  endpoint: Endpoint,
  { timeoutMs = TIMEOUT_MS, ...options }: PeerClientOptions & { readonly timeoutMs?: number } = {},
): Promise<Configuration> {
  return decoded(await ask(endpoint, SYNC, EMPTY, timeoutMs, options));
}

/**
 * Has the member at this address carry out an operator's order; resolves when that is done.
 * @throws PeerError where it refuses or fails, and the signal's reason where it was aborted.
 */
export async function giveOrder(
  endpoint: Endpoint,
  order: Order,
  options: PeerClientOptions = {},
): Promise<void> {
  await ask(endpoint, PATHS[order.kind], encodeOrder(order), ORDER_MS + TIMEOUT_MS, options);
}

async function ask(
  endpoint: Endpoint,
  path: string,
  request: Buffer,
  timeoutMs: number,
  options: PeerClientOptions,
): Promise<Buffer> {
  const { signal } = options;
  signal?.throwIfAborted();
  const channels = channelsFor(options);
  let stop = (): void => {};
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const cancel = unary(channels.to(endpoint), path, request, timeoutMs, (code, details, message) => {
        if (code === status.OK) resolve(message);
        else reject(new PeerError(nameOf(code), details));
      });
      stop = () => {
        cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
    });
  } finally {
    signal?.removeEventListener("abort", stop);
    channels.closeAll();
  }
}

/**
 * The configuration now and each later one, until the member closes, which ends the iteration, or the signal is
 * aborted, which throws its reason. A slow reader gets the newest, and `skipped` tells how many it missed.
 */
export async function* watchConfigurations(
  endpoint: Endpoint,
  options: PeerClientOptions = {},
): AsyncGenerator<Configuration, void, undefined> {
  const { signal } = options;
  signal?.throwIfAborted();
  const channels = channelsFor(options);
  const client = new Client(endpoint, credentials.createInsecure(), {
    channelOverride: channels.to(endpoint),
  });
  const stream = client.makeServerStreamRequest(WATCH, same, decoded, EMPTY);
  const stop = (): void => stream.cancel();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    yield* stream as AsyncIterable<Configuration>;
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    throw told(error);
  } finally {
    signal?.removeEventListener("abort", stop);
    // A call that is called off says so with an error, which nobody is there to hear.
    stream.on("error", () => {});
    stream.cancel();
    channels.closeAll();
  }
}

const same = (bytes: Buffer): Buffer => bytes;

function channelsFor({ identity }: PeerClientOptions): Channels {
  return new Channels({ identity });
}

function decoded(bytes: Buffer): Configuration {
  try {
    return decodeConfiguration(bytes);
  } catch (error) {
    throw error instanceof Malformed ? new PeerError(error.refusal.code, error.message) : error;
  }
}

/** What grpc-js throws, as ours. */
function told(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "number") return error;
  return new PeerError(nameOf(error.code), "details" in error ? String(error.details) : error.message);
}
