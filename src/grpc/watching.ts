// Tells of configurations to whoever asks over Peer.Sync and Peer.Watch. A watcher that reads slowly is not queued
// for: it gets the newest, and is told how many it missed.

import type { handleServerStreamingCall, handleUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import type { ViewChange } from "../core/doorway.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { refuse } from "../core/refusals.ts";
import { encodeConfiguration } from "./peer-codec.ts";
import { errorOf } from "./status.ts";

/** A configuration as this member saw it begin. */
export interface Snapshot {
  readonly local: Endpoint;
  readonly change: ViewChange;
  /** View changes left out before this one. */
  readonly skipped: number;
}

export interface SnapshotSource {
  /** `undefined` before the first configuration. */
  current(): Snapshot | undefined;
  /** Tells of each later one; the returned function ends that. */
  watch(listener: (snapshot: Snapshot) => void): () => void;
}

type Stream = ServerWritableStream<Buffer, Buffer>;

const WATCHERS_MAX = 256;

export class Watching {
  readonly #source: SnapshotSource;
  readonly #watchers = new Set<Watcher>();

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  readonly sync: handleUnaryCall<Buffer, Buffer> = (_call, respond) => {
    const now = this.#source.current();
    if (now === undefined) respond(errorOf(refuse.joining));
    else respond(null, encodeConfiguration(now.local, now.change, now.skipped));
  };

  readonly watch: handleServerStreamingCall<Buffer, Buffer> = (stream) => {
    if (this.#watchers.size >= WATCHERS_MAX) {
      stream.emit("error", errorOf(refuse.tooMany));
      return;
    }
    const watcher = new Watcher(stream, this.#source);
    this.#watchers.add(watcher);
    stream.once("close", () => this.#watchers.delete(watcher));
    stream.once("cancelled", () => {
      watcher.stop();
      this.#watchers.delete(watcher);
    });
  };

  get watchers(): number {
    return this.#watchers.size;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
  }
}

class Watcher {
  readonly #stream: Stream;
  readonly stop: () => void;
  /** The newest that was not written, because the one before is still on its way. */
  #waiting: Snapshot | undefined;
  #told: Snapshot | undefined;
  #writing = false;

  constructor(stream: Stream, source: SnapshotSource) {
    this.#stream = stream;
    this.stop = source.watch((snapshot) => this.#offer(snapshot));
    const now = source.current();
    if (now !== undefined) this.#offer(now);
  }

  end(): void {
    this.stop();
    this.#stream.end();
  }

  #offer(snapshot: Snapshot): void {
    const missed = this.#waiting === undefined ? 0 : this.#waiting.skipped + 1;
    this.#waiting = { ...snapshot, skipped: snapshot.skipped + missed };
    this.#write();
  }

  #write(): void {
    const next = this.#waiting;
    if (this.#writing || next === undefined || this.#stream.destroyed) return;
    this.#writing = true;
    this.#waiting = undefined;
    const { change, local, skipped } = sinceLast(next, this.#told);
    this.#told = next;
    this.#stream.write(encodeConfiguration(local, change, skipped), (error?: Error | null) => {
      this.#writing = false;
      if (!error) this.#write();
    });
  }
}

/** Who joined and who was kicked is said as seen from what this watcher was told before. */
function sinceLast(next: Snapshot, told: Snapshot | undefined): Snapshot {
  if (told === undefined || next.skipped === 0) return next;
  const before = told.change.view;
  const { view } = next.change;
  const joined = view.membersByAddress.filter((member) => !before.has(member));
  const kicked = before.membersByAddress.filter((member) => !view.has(member));
  return { ...next, change: { ...next.change, joined, kicked } };
}
