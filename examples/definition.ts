/** Services whose messages are JSON, so that the examples need no generated code. Real ones have a .proto file. */
import type { MethodDefinition } from "@grpc/grpc-js";

const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const decode = <T>(bytes: Buffer): T => JSON.parse(bytes.toString());
const codecs = {
  requestSerialize: encode,
  requestDeserialize: decode,
  responseSerialize: encode,
  responseDeserialize: decode,
};

type Unary<I, O> = MethodDefinition<I, O> & { readonly requestStream: false; readonly responseStream: false };
type ServerStream<I, O> = MethodDefinition<I, O> & {
  readonly requestStream: false;
  readonly responseStream: true;
};

/** One request, one response. */
export function unary<I, O>(path: string): Unary<I, O> {
  return { path, requestStream: false, responseStream: false, ...codecs } as Unary<I, O>;
}

/** One request, many responses. */
export function serverStream<I, O>(path: string): ServerStream<I, O> {
  return { path, requestStream: false, responseStream: true, ...codecs } as ServerStream<I, O>;
}
