// Getting a value from outside of the mesh: for the command line.

import { type ChannelInterface, Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { crateService, extensionService } from "./wire.ts";

export interface OutsideOptions {
  readonly name?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The value that the member behind this channel answers. @throws ServiceError of grpc-js, and the signal's reason. */
export async function getFromOutside(
  channel: ChannelInterface,
  key: Uint8Array,
  options: OutsideOptions = {},
): Promise<Uint8Array> {
  const { name = "blip.cache.Cache" } = options;
  const client = new Client("", credentials.createInsecure(), { channelOverride: channel });
  const { fetch } = extensionService(name);
  const { get } = crateService(name);
  try {
    const { value } = await call(client, fetch, { key }, options);
    return value;
  } catch (error) {
    if ((error as Partial<ServiceError>).code !== status.UNIMPLEMENTED) throw error;
    // A Rust member finds the owner by itself.
    const { buf } = await call(client, get, { key }, options);
    return buf;
  }
}

interface Method<In, Out> {
  readonly path: string;
  readonly requestSerialize: (request: In) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Out;
}

function call<In, Out>(
  client: Client,
  { path, requestSerialize, responseDeserialize }: Method<In, Out>,
  request: In,
  { timeoutMs = 10_000, signal }: OutsideOptions,
): Promise<Out> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + timeoutMs };
    const stop = (): void => calling.cancel();
    const calling = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      options,
      (error, response) => {
        signal?.removeEventListener("abort", stop);
        if (error === null) resolve(response!);
        else reject(signal?.aborted ? signal.reason : error);
      },
    );
    signal?.addEventListener("abort", stop, { once: true });
  });
}
