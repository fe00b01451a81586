// Calls between real members, with both kinds of definitions.

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { client } from "./client.ts";
import { BlipError, type BlipErrorCode } from "./errors.ts";
import { collect, Echo, each, Greeter, PATIENCE, startMembers, startMesh } from "./greeter.test.ts";
import { service } from "./service.ts";

function failsWith(code: BlipErrorCode, more: Partial<BlipError> = {}): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof BlipError, String(error));
    assert.equal(error.code, code, error.message);
    for (const [key, value] of Object.entries(more)) assert.equal(error[key as keyof BlipError], value);
    return true;
  };
}

const greeter = service(Greeter, {
  hello: ({ name }) => ({ text: `hello ${name}` }),
  async *count({ name, count }) {
    for (let i = 1; i <= count; i++) yield { text: `${name} ${i}` };
  },
  async sum(names) {
    let sum = 0;
    for await (const { count } of names) sum += count;
    return { text: String(sum) };
  },
  async *chat(names) {
    for await (const { name } of names) yield { text: `hello ${name}` };
  },
  on: () => ({ text: "on" }),
});

const echo = service(Echo, {
  say: (call, answer) => answer(null, call.request),
  repeat: (call) => {
    for (let i = 0; i < 3; i++) call.write(call.request);
    call.end();
  },
  join: (call, answer) => {
    const texts: string[] = [];
    call.on("data", (text: string) => texts.push(text));
    call.on("end", () => answer(null, texts.join(" ")));
  },
  talk: (call) => {
    call.on("data", (text: string) => call.write(text.toUpperCase()));
    call.on("end", () => call.end());
  },
});

describe("a client of a protobuf-es service", () => {
  it("calls all four kinds of methods", async (t) => {
    const [mesh] = await startMembers(t, {}, { services: [greeter] });
    const calls = client(mesh!, Greeter);
    assert.equal((await calls.hello({ name: "ada" })).text, "hello ada");
    const counted = await collect(calls.count({ name: "n", count: 3 }));
    assert.deepEqual(
      counted.map(({ text }) => text),
      ["n 1", "n 2", "n 3"],
    );
    assert.equal((await calls.sum(each({ count: 1 }, { count: 2 }))).text, "3");
    const chatted = await collect(calls.chat(each({ name: "a" }, { name: "b" })));
    assert.deepEqual(
      chatted.map(({ text }) => text),
      ["hello a", "hello b"],
    );
    assert.equal((await calls.on$({})).text, "on");
  });

  it("keeps a bidirectional call going both ways at once", async (t) => {
    const [mesh] = await startMembers(t, { services: [greeter] });
    const names = new PassThrough({ objectMode: true });
    const heard: string[] = [];
    names.write({ name: "0" });
    for await (const { text } of client(mesh!, Greeter).chat(names)) {
      heard.push(text);
      if (heard.length < 3) names.write({ name: String(heard.length) });
      else names.end();
    }
    assert.deepEqual(heard, ["hello 0", "hello 1", "hello 2"]);
  });
});

describe("a client of a grpc-js ServiceDefinition", () => {
  it("calls all four kinds of methods", async (t) => {
    const [mesh] = await startMembers(t, {}, { services: [echo] });
    const calls = client(mesh!, Echo);
    assert.equal(await calls.say("hi"), "hi");
    assert.deepEqual(await collect(calls.repeat("x")), ["x", "x", "x"]);
    assert.equal(await calls.join(each("a", "b")), "a b");
    assert.deepEqual(await collect(calls.talk(each("a", "b"))), ["A", "B"]);
  });
});

describe("where calls go", () => {
  const named = (name: string) =>
    service(Greeter, { hello: () => ({ text: name }), peek: () => ({ text: name }) });

  it("takes members in turn, and only those that serve it and are accepted", async (t) => {
    const members = await startMembers(
      t,
      {},
      { services: [named("a")], metadata: { zone: "1" } },
      { services: [named("b")], metadata: { zone: "2" } },
    );
    const calls = client(members[0]!, Greeter);
    const heard = [];
    for (let i = 0; i < 6; i++) heard.push((await calls.hello({})).text);
    assert.equal(heard.filter((name) => name === "a").length, 3);
    assert.equal(heard.filter((name) => name === "b").length, 3);
    const near = client(members[0]!, Greeter, { where: (member) => member.text("zone") === "2" });
    for (let i = 0; i < 3; i++) assert.equal((await near.hello({})).text, "b");
    assert.deepEqual(
      await Promise.all(calls.all().map(async ([{ address }, on]) => [address, (await on.hello({})).text])),
      calls.all().map(([{ address }]) => [address, address === members[1]!.localAddress ? "a" : "b"]),
    );
  });

  it("calls one member when told to, by its address or as a member", async (t) => {
    const [a, b] = await startMembers(t, { services: [named("a")] }, { services: [named("b")] });
    const calls = client(a!, Greeter);
    assert.equal((await calls.on(b!.localAddress).hello({})).text, "b");
    assert.equal((await calls.on(a!.cut.lookup(a!.localAddress)!).hello({})).text, "a");
    await assert.rejects(calls.on("127.0.0.1:1").hello({}), failsWith("BLIP_NO_MEMBERS"));
    assert.throws(() => calls.on("nonsense"), failsWith("BLIP_INVALID_OPTIONS", { field: "member" }));
  });

  it("says so where nobody serves it, or waits for somebody who does", async (t) => {
    const mesh = await startMesh(t);
    const calls = client(mesh, Greeter);
    await assert.rejects(calls.hello({}), failsWith("BLIP_NO_MEMBERS"));
    await assert.rejects(collect(calls.count({})), failsWith("BLIP_NO_MEMBERS"));
    const waiting = client(mesh, Greeter, { waitForMembers: true });
    await assert.rejects(waiting.hello({}, { timeoutMs: 50 }), failsWith("BLIP_TIMEOUT"));
    const answer = waiting.hello({}, PATIENCE);
    await startMesh(t, { seeds: [mesh.localAddress], services: [named("late")] });
    assert.equal((await answer).text, "late");
  });

  it("goes on to another member while a killed one is still in the view", async (t) => {
    const [a, b, c] = await startMembers(t, {}, { services: [named("b")] }, { services: [named("c"), echo] });
    const calls = client(a!, Greeter);
    for (let i = 0; i < 4; i++) await calls.hello({});
    await b!.close();
    // Until the lost connection is noticed, only what may be done twice is tried again.
    for (let i = 0; i < 8; i++) assert.equal((await calls.peek({})).text, "c");
    for (let i = 0; i < 8; i++) assert.equal((await calls.hello({})).text, "c");
    assert.deepEqual(await collect(client(a!, Echo).talk(each("x"))), ["X"]);
    await assert.rejects(calls.on(b!.localAddress).hello({}), failsWith("BLIP_UNREACHABLE"));
    await c!.close();
    await assert.rejects(calls.peek({}), BlipError);
    const failure = failsWith("BLIP_UNREACHABLE", { status: status.UNAVAILABLE });
    await assert.rejects(calls.hello({}), failure);
    await assert.rejects(calls.sum(each({ count: 1 })), failure);
    await assert.rejects(collect(calls.count({})), failure);
  });
});

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

  it("when the caller's own requests fail, or cannot be encoded", async (t) => {
    const [mesh] = await startMembers(t, { services: [greeter] });
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
