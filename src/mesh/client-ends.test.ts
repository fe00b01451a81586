// How calls end: with a status, by the caller's wish, or with the mesh.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { until } from "../grpc/scripted-member.test.ts";
import { client } from "./client.ts";
import { collect, Echo, each, failsWith, Greeter, startMembers } from "./greeter.test.ts";
import { service } from "./service.ts";

describe("how calls end", () => {
  it("with the status that the handler threw, and without harm to other calls", async (t) => {
    const broken = service(Greeter, {
      hello: ({ name }) => {
        if (name === "status") throw Object.assign(new Error("no such name"), { code: status.NOT_FOUND });
        if (name === "text") throw "just a text";
        if (name === "half") throw new Error("\ud800 is half a character");
        throw new Error(`no ${name}`);
      },
      async *count() {
        yield { text: "one" };
        throw Object.assign(new Error("no two"), { code: status.OUT_OF_RANGE });
      },
      sum: async () => Promise.reject(new Error("no sum")),
      chat: () => {
        throw new Error("no chat");
      },
    });
    const [mesh] = await startMembers(t, { services: [broken] });
    const calls = client(mesh!, Greeter);
    const cases = [
      ["status", status.NOT_FOUND, /no such name/],
      ["text", status.UNKNOWN, /just a text/],
      ["half", status.UNKNOWN, /is half a character/],
      ["luck", status.UNKNOWN, /no luck/],
    ] as const;
    for (const [name, code, message] of cases) {
      await assert.rejects(calls.hello({ name }), (error) => {
        assert.match((error as Error).message, message);
        return failsWith("BLIP_CALL_FAILED", { status: code, address: mesh!.localAddress })(error);
      });
    }
    const counted: string[] = [];
    await assert.rejects(
      async () => {
        for await (const { text } of calls.count({})) counted.push(text);
      },
      failsWith("BLIP_CALL_FAILED", { status: status.OUT_OF_RANGE }),
    );
    assert.deepEqual(counted, ["one"]);
    const unknown = failsWith("BLIP_CALL_FAILED", { status: status.UNKNOWN });
    await assert.rejects(calls.sum(each({})), unknown);
    await assert.rejects(collect(calls.chat(each({}))), unknown);
    const unimplemented = failsWith("BLIP_CALL_FAILED", { status: status.UNIMPLEMENTED });
    await assert.rejects(calls.peek({}), unimplemented);
  });

  it("with a status also where a grpc-js handler throws or rejects", async (t) => {
    const broken = service(Echo, {
      say: () => {
        throw new Error("no say");
      },
      repeat: async () => Promise.reject(new Error("no repeat")),
      join: async () => Promise.reject(Object.assign(new Error("no join"), { code: status.ABORTED })),
      talk: () => {
        throw new Error("no talk");
      },
    });
    const [mesh] = await startMembers(t, { services: [broken] });
    const calls = client(mesh!, Echo);
    await assert.rejects(calls.say("x"), /no say/);
    await assert.rejects(collect(calls.repeat("x")), /no repeat/);
    await assert.rejects(calls.join(each("x")), failsWith("BLIP_CALL_FAILED", { status: status.ABORTED }));
    await assert.rejects(collect(calls.talk(each("x"))), /no talk/);
  });

  it("when the caller gives up, which the handler is told", async (t) => {
    let told = (_reason: string): void => {};
    const gaveUp = (): Promise<string> =>
      new Promise((resolve) => {
        told = resolve;
      });
    let started = (): void => {};
    const slow = service(Greeter, {
      hello: async ({ name }, { signal, deadline, peer, metadata }) => {
        assert.equal(deadline === undefined, name === "endless");
        assert.match(peer, /^127\.0\.0\.1:\d+$/);
        assert.deepEqual(metadata.get("tenant"), ["t1"]);
        signal.addEventListener("abort", () => told(name));
        started();
        return new Promise(() => {});
      },
      async *count(_request, { signal }) {
        yield { text: "one" };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        told("count");
      },
    });
    const [mesh] = await startMembers(t, { services: [slow] });
    const calls = client(mesh!, Greeter);
    const metadata = { tenant: "t1" };

    const late = gaveUp();
    await assert.rejects(
      calls.hello({ name: "late" }, { timeoutMs: 100, metadata }),
      failsWith("BLIP_TIMEOUT", { status: status.DEADLINE_EXCEEDED }),
    );
    assert.equal(await late, "late");

    const stopped = gaveUp();
    const stop = new AbortController();
    started = () => stop.abort(new Error("enough"));
    await assert.rejects(
      calls.hello({ name: "endless" }, { timeoutMs: Infinity, signal: stop.signal, metadata }),
      (error) => failsWith("BLIP_ABORTED", { cause: stop.signal.reason })(error),
    );
    assert.equal(await stopped, "endless");

    const left = gaveUp();
    for await (const { text } of calls.count({})) {
      assert.equal(text, "one");
      break;
    }
    assert.equal(await left, "count");
    await assert.rejects(calls.hello({}, { signal: AbortSignal.abort() }), failsWith("BLIP_ABORTED"));
  });

  it("when many callers give up by one signal, which is listened to once", async (t) => {
    let [open, ended] = [0, 0];
    const wait = (signal: AbortSignal): Promise<never> => {
      open += 1;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          ended += 1;
          reject(signal.reason);
        });
      });
    };
    const slow = service(Greeter, {
      hello: (_request, { signal }) => wait(signal),
      async *count(_request, { signal }) {
        yield { text: "one" };
        await wait(signal);
      },
    });
    const [mesh] = await startMembers(t, { services: [slow] });
    const calls = client(mesh!, Greeter);
    const stop = new AbortController();
    const { signal } = stop;
    const ends = Array.from({ length: 10 }, () => [
      calls.hello({}, { signal }),
      collect(calls.count({}, { signal })),
    ]).flat();
    await until(() => open === ends.length, "all are being served");
    assert.equal(getEventListeners(signal, "abort").length, 1);
    stop.abort();
    for (const end of ends) await assert.rejects(end, failsWith("BLIP_ABORTED"));
    assert.equal(getEventListeners(signal, "abort").length, 0);
    await until(() => ended === ends.length, "all handlers are told");
  });

  it("when the caller's own requests fail, or cannot be encoded", async (t) => {
    const listener = service(Greeter, {
      sum: async (names) => ({ text: String((await collect(names)).length) }),
      async *chat(names) {
        for await (const { name } of names) yield { text: name };
      },
    });
    const [mesh] = await startMembers(t, { services: [listener] });
    const calls = client(mesh!, Greeter);
    async function* failing(): AsyncGenerator<{ count: number }, void, undefined> {
      yield { count: 1 };
      throw new Error("out of numbers");
    }
    await assert.rejects(calls.sum(failing()), /out of numbers/);
    await assert.rejects(collect(calls.chat(failing())), /out of numbers/);
    await assert.rejects(calls.hello({ count: -1 }), failsWith("BLIP_CALL_FAILED"));
    await assert.rejects(calls.sum([] as never), failsWith("BLIP_INVALID_OPTIONS", { field: "requests" }));
    await assert.rejects(calls.hello({}, { timeoutMs: -1 }), failsWith("BLIP_INVALID_OPTIONS"));
    await assert.rejects(calls.hello({}, { metadata: { "bad key": "" } }), failsWith("BLIP_INVALID_OPTIONS"));
  });

  it("when the mesh is closed", async (t) => {
    const [a] = await startMembers(t, {
      services: [service(Greeter, { hello: () => new Promise(() => {}) })],
    });
    const calls = client(a!, Greeter);
    const pending = assert.rejects(calls.hello({}), failsWith("BLIP_CLOSED"));
    await a!.close();
    await pending;
    await assert.rejects(calls.hello({}), failsWith("BLIP_CLOSED"));
  });
});
