// The types of handlers and of client methods, derived from the definition of a service: from the descriptors of
// protobuf-es, or from the serializers of a ServiceDefinition of grpc-js.

import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServiceDefinition,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import type { CallContext } from "./bridge-context.ts";
import type { Member } from "./cut.ts";

/** What one may say beside the request. */
export interface CallOptions {
  /** Ends the call when it is aborted; the call then fails with BLIP_ABORTED. Default none. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds that the call may take in all, retries included; more than 0. Infinity: no limit. Default: the
   * client's where there is one request and one response, no limit for streams.
   */
  readonly timeoutMs?: number;
  /** When the call must have ended: a Date, or milliseconds since 1970. What ends first counts. Default none. */
  readonly deadline?: Date | number;
  /** Headers to send along; bytes under keys that end with "-bin". Default none. */
  readonly metadata?: Metadata | Readonly<Record<string, string | Uint8Array>>;
  /** What to route the call by, where the client's `balance` is by key. Default: what its `key` says. */
  readonly key?: string | Uint8Array;
  /** Whether this call may be run twice. Default: as the client says of its method. */
  readonly idempotent?: boolean;
}

/** What one of many members answered. */
export type FromMember<Out> =
  | { readonly member: Member; readonly value: Out; readonly error?: undefined }
  | { readonly member: Member; readonly error: unknown; readonly value?: undefined };

type Many<T> = AsyncIterable<T>;
type Call<In, Out> = (input: In, options?: CallOptions) => Out;

/** The handlers of a protobuf-es service. A method that is left out is answered UNIMPLEMENTED. */
export type Handlers<D extends DescService> = {
  readonly [K in keyof D["method"]]?: Handler<D["method"][K]>;
};

type Handler<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>> | MessageInitShape<O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: CallContext) => Many<MessageInitShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (
            requests: Many<MessageShape<I>>,
            context: CallContext,
          ) => Promise<MessageInitShape<O>> | MessageInitShape<O>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: Many<MessageShape<I>>, context: CallContext) => Many<MessageInitShape<O>>
          : never;

/** The handlers of a grpc-js ServiceDefinition, as its own server takes them. */
export type GrpcHandlers<D extends ServiceDefinition> = {
  readonly [K in keyof D]?: GrpcHandler<D[K]>;
};

type GrpcHandler<M> = M extends {
  readonly requestDeserialize: (bytes: Buffer) => infer I;
  readonly responseSerialize: (value: infer O) => Buffer;
}
  ? M extends { readonly requestStream: false; readonly responseStream: false }
    ? handleUnaryCall<I, O>
    : M extends { readonly requestStream: false; readonly responseStream: true }
      ? handleServerStreamingCall<I, O>
      : M extends { readonly requestStream: true; readonly responseStream: false }
        ? handleClientStreamingCall<I, O>
        : M extends { readonly requestStream: true; readonly responseStream: true }
          ? handleBidiStreamingCall<I, O>
          : UntypedHandleCall
  : never;

/** Names that a client has for itself; a method with such a name is called with a `$` after it. */
type OwnName = "on" | "all" | "then";

type MethodName<K> = K extends OwnName ? `${K}$` : K;

/** The methods that a client of this service has. */
export type ClientMethods<D> = D extends DescService
  ? { readonly [K in keyof D["method"] as MethodName<K>]: ClientMethod<D["method"][K]> }
  : D extends ServiceDefinition
    ? { readonly [K in keyof D as MethodName<K>]: GrpcClientMethod<D[K]> }
    : never;

type ClientMethod<M> = [DescMethod] extends [M]
  ? // A service that is only known at run time: any of the four.
    Call<unknown, Promise<Message> & Many<Message>>
  : M extends DescMethodUnary<infer I, infer O>
    ? Call<MessageInitShape<I>, Promise<MessageShape<O>>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? Call<MessageInitShape<I>, Many<MessageShape<O>>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? Call<Many<MessageInitShape<I>>, Promise<MessageShape<O>>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? Call<Many<MessageInitShape<I>>, Many<MessageShape<O>>>
          : never;

type GrpcClientMethod<M> = M extends {
  readonly requestSerialize: (value: infer I) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => infer O;
}
  ? M extends { readonly requestStream: false; readonly responseStream: false }
    ? Call<I, Promise<O>>
    : M extends { readonly requestStream: false; readonly responseStream: true }
      ? Call<I, Many<O>>
      : M extends { readonly requestStream: true; readonly responseStream: false }
        ? Call<Many<I>, Promise<O>>
        : M extends { readonly requestStream: true; readonly responseStream: true }
          ? Call<Many<I>, Many<O>>
          : Call<I | Many<I>, Promise<O> & Many<O>>
  : never;

/**
 * The methods that can be called on many members at once: those with one request. Results come in the order in
 * which members answer.
 */
export type EveryoneMethods<D> = {
  readonly [K in keyof ClientMethods<D> as ClientMethods<D>[K] extends Call<infer I, unknown>
    ? [I] extends [AsyncIterable<unknown>]
      ? never
      : K
    : never]: ClientMethods<D>[K] extends Call<infer I, infer O>
    ? Call<I, AsyncIterable<FromMember<OneOf<O>>>>
    : never;
};

type OneOf<Out> = Out extends Promise<infer O> ? O : Out extends Many<infer O> ? O : never;
