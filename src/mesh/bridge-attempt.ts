// One attempt at a call with one request and one response, straight on the channel: what grpc-js has above that for
// its own clients (interceptors, emitters, streams) costs more than all of our routing. It tells how the attempt
// ended, and whether the call may have reached a handler: one that did not can be made elsewhere without being done
// twice.

import { type ChannelInterface, connectivityState, type Metadata, status } from "@grpc/grpc-js";
import { type Failure, judged, unreached } from "./bridge-failure.ts";
import type { Line, Waiting } from "./line.ts";

type Call = ReturnType<ChannelInterface["createCall"]>;
type Listener = Parameters<Call["start"]>[1];
type Status = Parameters<Listener["onReceiveStatus"]>[0];

/** Who made the attempt, and is told of it once. */
export interface AttemptOwner {
  succeeded(attempt: Attempt, response: Buffer): void;
  failed(attempt: Attempt, failure: Failure): void;
  /** True where the call is made elsewhere now. */
  memberIsMissing(attempt: Attempt): boolean;
}

/** A connection that takes longer is no better than none. */
export const CONNECT_MS_MAX = 3000;

export class Attempt implements Waiting, Listener {
  readonly line: Line;
  readonly #owner: AttemptOwner;
  #call: Call | undefined;
  #response: Buffer | undefined;
  #hasHeaders = false;
  #isOver = false;
  /** The call is made elsewhere too. */
  #isLeft = false;

  constructor(line: Line, owner: AttemptOwner) {
    this.line = line;
    this.#owner = owner;
  }

  /** It waits for a connection: nothing has left this process. */
  get isUnsent(): boolean {
    return this.#call === undefined;
  }

  start(path: string, request: Buffer, headers: Metadata, deadline: number): void {
    this.line.wait(this);
    this.#connect(deadline, () => this.#send(path, request, headers, deadline));
  }

  /** Ends it; the owner is not told. */
  cancel(): void {
    if (this.#isOver) return;
    this.#end();
    this.#call?.cancelWithStatus(status.CANCELLED, "the caller does not wait any more");
  }

  memberIsMissing(): void {
    if (!this.#isLeft) this.#isLeft = this.#owner.memberIsMissing(this);
  }

  onReceiveMetadata(): void {
    this.#hasHeaders = true;
  }

  onReceiveMessage(message: Buffer | null): void {
    this.#response ??= message ?? undefined;
  }

  onReceiveStatus(ended: Status): void {
    if (this.#isOver) return;
    this.#end();
    const response = this.#response;
    if (ended.code === status.OK && response !== undefined) {
      this.line.answered(false);
      this.#owner.succeeded(this, response);
    } else {
      this.#owner.failed(this, judged(this.line, ended, this.#call!.getPeer(), this.#hasHeaders));
    }
  }

  #connect(deadline: number, connected: () => void): void {
    const until = Math.min(deadline, Date.now() + CONNECT_MS_MAX);
    const look = (): void => {
      if (this.#isOver) return;
      // A channel that was closed meanwhile throws.
      try {
        if (!this.#isConnected(until, look)) return;
        connected();
      } catch (error) {
        this.#unreachable(error);
      }
    };
    look();
  }

  /** False where it is not yet, and then `changed` will be called; or where it will not be soon. */
  #isConnected(until: number, changed: () => void): boolean {
    const { channel } = this.line;
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) return true;
    if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) {
      this.#unreachable();
    } else {
      channel.watchConnectivityState(state, until, (error) => {
        if (error === undefined) changed();
        else this.#unreachable();
      });
    }
    return false;
  }

  #send(path: string, request: Buffer, headers: Metadata, deadline: number): void {
    const call = this.line.channel.createCall(path, deadline, null, null, null);
    this.#call = call;
    call.start(headers, this);
    call.sendMessageWithContext({}, request);
    call.halfClose();
    call.startRead();
  }

  #unreachable(error?: unknown): void {
    if (this.#isOver) return;
    this.#end();
    this.line.missed();
    this.#owner.failed(this, unreached(error));
  }

  #end(): void {
    this.#isOver = true;
    this.line.endWait(this);
  }
}
