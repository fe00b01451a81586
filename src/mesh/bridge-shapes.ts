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

/** What one may say beside the request. */
export interface CallOptions {
  /** Ends the call when it is aborted; the call then fails with BLIP_ABORTED. */
  readonly signal?: AbortSignal;
  /** How long the call may take in all, retries included. Default: the client's. Infinity: no limit. */
  readonly timeoutMs?: number;
  /** Headers to send along. */
  readonly metadata?: Metadata | Readonly<Record<string, string | Uint8Array>>;
}

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
