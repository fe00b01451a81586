// Calls between real members, with both kinds of definitions.

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import type { DescService } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { type Client, client } from "./client.ts";
import { BlipError } from "./errors.ts";
import {
  collect,
  Echo,
  each,
  failsWith,
  Greeter,
  PATIENCE,
  startMembers,
  startMesh,
} from "./greeter.test.ts";
import { service } from "./service.ts";

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
      await Promise.all(
        [...calls.all()].map(async ([{ address }, on]) => [address, (await on.hello({})).text]),
      ),
      [...calls.all()].map(([{ address }]) => [address, address === members[1]!.localAddress ? "a" : "b"]),
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

describe("the types of a client", () => {
  it("are those of the definition", async (t) => {
    const mesh = await startMesh(t, { services: [greeter, echo] });
    const calls = client(mesh, Greeter);
    const text: string = (await calls.hello({ name: "x" })).text;
    assert.equal(text, "hello x");
    const said: string = await client(mesh, Echo).say("y");
    assert.equal(said, "y");
    // @ts-expect-error: a greeting has no number
    void (await calls.hello({})).number;
    // @ts-expect-error: a name is no number
    void (await calls.hello({ name: 1 }));
    const { say } = client(mesh, Echo);
    // @ts-expect-error: an echo takes texts
    await assert.rejects(say(1), failsWith("BLIP_CALL_FAILED"));
    // @ts-expect-error: no such method
    assert.equal(calls.bye, undefined);
    // @ts-expect-error: a greeting is wanted
    service(Greeter, { hello: () => 1 });
    // @ts-expect-error: no such method
    assert.throws(() => service(Greeter, { bye: () => ({}) }), failsWith("BLIP_INVALID_OPTIONS"));
    // @ts-expect-error: not the handler of a unary method
    service(Echo, { say: (call) => call.write("x") });
  });

  it("are loose where the service is known at run time only", async (t) => {
    const mesh = await startMesh(t, { services: [greeter] });
    const dynamic: DescService = Greeter;
    const calls: Client<DescService> = client(mesh, dynamic);
    assert.equal((await calls.hello!({ name: "z" })).$typeName, "demo.Greeting");
  });
});
