import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Server, type ServerWritableStream } from "@grpc/grpc-js";
import { PEER_SERVICE } from "../core/messages.ts";
import type { View } from "../core/view.ts";
import { fetchConfiguration, PeerError, watchConfigurations } from "./peer-client.ts";
import { type Configuration, decodeConfiguration } from "./peer-codec.ts";
import { at, bind, FrozenPeer, freePort, ScriptedMember, until, viewOf } from "./scripted-member.test.ts";
import { type Snapshot, Watching } from "./watching.ts";

const toStop: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

async function member(): Promise<ScriptedMember> {
  const started = await ScriptedMember.start();
  toStop.push(() => started.stop());
  return started;
}

function viewOfSize(size: number): View {
  return viewOf(Array.from({ length: size }, (_, i) => at(i + 1)));
}

/** The view of this size, as it comes after the one that is smaller by one. */
function snapshot(size: number, skipped = 0): Snapshot {
  const change = { view: viewOfSize(size), joined: [at(size)], kicked: [], degraded: false };
  return { local: at(1), change, skipped };
}

const sizeOf = (configuration: Configuration): number => configuration.members.length;

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => error instanceof PeerError && error.code === code;
}

describe("fetchConfiguration", () => {
  it("tells what the member sees", async () => {
    const peer = await member();
    peer.now = snapshot(3, 2);
    const told = await fetchConfiguration(peer.endpoint);
    assert.equal(told.confId, peer.now.change.view.id);
    assert.deepEqual([told.local, told.degraded, told.skipped], [at(1), false, 2]);
    assert.deepEqual([told.joined, told.kicked], [[at(3)], []]);
    assert.deepEqual(
      told.members.map((each) => each.endpoint),
      [at(1), at(2), at(3)],
    );
    assert.deepEqual(Object.keys(told.members[0]!.metadata), [PEER_SERVICE]);
  });

  it("says why it cannot", async () => {
    const peer = await member();
    await assert.rejects(fetchConfiguration(peer.endpoint), failsWith("unavailable"));
    await assert.rejects(fetchConfiguration(at(await freePort())), failsWith("unavailable"));
    const other = new Server();
    const endpoint = await bind(other);
    toStop.push(() => other.forceShutdown());
    await assert.rejects(fetchConfiguration(endpoint), failsWith("unimplemented"));
  });

  it("takes no longer than it may, and can be called off", async () => {
    const peer = await FrozenPeer.start();
    toStop.push(() => peer.stop());
    await assert.rejects(
      fetchConfiguration(peer.endpoint, { timeoutMs: 30 }),
      failsWith("deadline_exceeded"),
    );
    const abort = new AbortController();
    const fetched = fetchConfiguration(peer.endpoint, { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(fetched, /enough/);
    await assert.rejects(fetchConfiguration(peer.endpoint, { signal: abort.signal }), /enough/);
    await until(() => peer.sockets.size === 0, "nothing is left open");
  });
});

describe("watchConfigurations", () => {
  it("tells the configuration now and each later one, until the member closes", async () => {
    const peer = await member();
    peer.now = snapshot(1);
    const sizes: number[] = [];
    for await (const told of watchConfigurations(peer.endpoint)) {
      sizes.push(sizeOf(told));
      assert.equal(told.skipped, 0);
      if (sizes.length < 4) peer.tell(snapshot(sizes.length + 1));
      else peer.membership.close();
    }
    assert.deepEqual(sizes, [1, 2, 3, 4]);
    await until(() => peer.listeners.size === 0 && peer.membership.streams === 0, "nobody listens");
  });

  it("waits for the first configuration", async () => {
    const peer = await member();
    const watch = watchConfigurations(peer.endpoint);
    const first = watch.next();
    await until(() => peer.listeners.size === 1, "it listens");
    peer.tell(snapshot(2));
    assert.equal(sizeOf((await first).value!), 2);
    await watch.return();
    await until(() => peer.listeners.size === 0 && peer.membership.streams === 0, "it stopped listening");
  });

  it("ends with the reason of its signal", async () => {
    const peer = await member();
    const abort = new AbortController();
    const watch = watchConfigurations(peer.endpoint, { signal: abort.signal });
    const first = watch.next();
    await until(() => peer.listeners.size === 1, "it listens");
    abort.abort(new Error("enough"));
    await assert.rejects(first, /enough/);
    await until(() => peer.listeners.size === 0, "it stopped listening");
    const late = watchConfigurations(peer.endpoint, { signal: abort.signal });
    await assert.rejects(late.next(), /enough/);
  });

  it("says why it cannot", async () => {
    await assert.rejects(watchConfigurations(at(await freePort())).next(), failsWith("unavailable"));
    const other = new Server();
    const endpoint = await bind(other);
    toStop.push(() => other.forceShutdown());
    await assert.rejects(watchConfigurations(endpoint).next(), failsWith("unimplemented"));
  });

  it("fails where the member is gone without a word", async () => {
    const peer = await member();
    peer.now = snapshot(1);
    const watch = watchConfigurations(peer.endpoint);
    await watch.next();
    const next = watch.next();
    peer.server.forceShutdown();
    await assert.rejects(next, PeerError);
  });
});

describe("a watcher that does not read", () => {
  it("gets the newest, and is told how many it missed and what happened since", () => {
    const { stream, written, flush } = slowStream();
    let listener: (snapshot: Snapshot) => void = () => {};
    const watching = new Watching({
      current: () => snapshot(1),
      watch: (added) => {
        listener = added;
        return () => {};
      },
    });
    watching.watch(stream);
    for (const size of [2, 3, 4]) listener(snapshot(size));
    listener(snapshot(2, 5));
    assert.deepEqual(written.map(sizeOf), [1]);
    flush();
    assert.deepEqual(written.map(sizeOf), [1, 2]);
    assert.deepEqual([written[1]!.skipped, written[1]!.joined, written[1]!.kicked], [8, [at(2)], []]);
    listener(snapshot(5, 1));
    listener(snapshot(1));
    flush();
    flush();
    assert.deepEqual(written.map(sizeOf), [1, 2, 1]);
    assert.deepEqual([written[2]!.skipped, written[2]!.joined, written[2]!.kicked], [2, [], [at(2)]]);
  });

  /** A stream whose writes are done when `flush` says so. */
  function slowStream() {
    const written: Configuration[] = [];
    let done: (() => void) | undefined;
    const stream = {
      destroyed: false,
      once: () => stream,
      write(bytes: Buffer, callback: () => void) {
        written.push(decodeConfiguration(bytes));
        done = callback;
      },
    };
    const flush = (): void => {
      const callback = done;
      done = undefined;
      callback?.();
    };
    return { stream: stream as unknown as ServerWritableStream<Buffer, Buffer>, written, flush };
  }
});
