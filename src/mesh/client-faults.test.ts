// Calls when members misbehave, and when callers do.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Metadata, status } from "@grpc/grpc-js";
import type { CallOptions } from "./bridge-shapes.ts";
import { client } from "./client.ts";
import type { ClientOptions } from "./client-options.ts";
import type { BlipError } from "./errors.ts";
import { collect, Echo, each, failsWith, Greeter, Nothing, startMembers, startMesh } from "./greeter.test.ts";
import { service } from "./service.ts";

const never = (): Promise<never> => new Promise(() => {});
const failing = (code: status): never => {
  throw Object.assign(new Error("out of order"), { code });
};

describe("retries", () => {
  it("are for idempotent methods where a handler may have run, and go to somebody else", async (t) => {
    let runs = 0;
    const broken = service(Greeter, {
      hello: () => {
        runs += 1;
        return failing(status.UNAVAILABLE);
      },
      peek: () => ({}),
    });
    const well = service(Greeter, { hello: () => ({ text: "well" }), peek: () => ({}) });
    const [a] = await startMembers(t, {}, { services: [broken] }, { services: [well] });
    const careful = client(a!, Greeter);
    const outcomes = await Promise.allSettled([careful.hello({}), careful.hello({})]);
    const isKept = failsWith("BLIP_CALL_FAILED", { status: status.UNAVAILABLE });
    assert.equal(
      outcomes.filter((outcome) => outcome.status === "rejected" && isKept(outcome.reason)).length,
      1,
    );
    assert.equal(runs, 1);
    for (const options of [{ idempotent: true }, { idempotent: ["hello"] }]) {
      const calls = client(a!, Greeter, options);
      for (let i = 0; i < 2; i++) assert.equal((await calls.hello({})).text, "well");
    }
    for (let i = 0; i < 2; i++) assert.equal((await careful.hello({}, { idempotent: true })).text, "well");
    assert.equal(runs, 4);
    // One good answer, so that nobody is avoided.
    for (let i = 0; i < 2; i++) await careful.peek({});
    const single = client(a!, Greeter, { idempotent: true, retries: 0 });
    assert.equal(
      (await Promise.allSettled([single.hello({}), single.hello({})])).filter(isRejected).length,
      1,
    );
    const poor = client(a!, Greeter, { idempotent: true, retryBudget: 0 });
    assert.equal((await Promise.allSettled([poor.hello({}), poor.hello({})])).filter(isRejected).length, 1);
  });

  it("are not for what the handler meant", async (t) => {
    let runs = 0;
    const picky = service(Greeter, {
      peek: () => {
        runs += 1;
        return failing(status.NOT_FOUND);
      },
    });
    const members = await startMembers(t, { services: [picky] }, { services: [picky] });
    await assert.rejects(client(members[0]!, Greeter).peek({}), failsWith("BLIP_CALL_FAILED"));
    assert.equal(runs, 1);
  });
});

const isRejected = ({ status }: { readonly status: string }): boolean => status === "rejected";

describe("hedging", () => {
  it("asks a second member of an idempotent method when the first takes long, and takes what comes first", async (t) => {
    const cancelled: Promise<unknown>[] = [];
    const slow = service(Greeter, {
      peek: (_request, { signal }) => {
        cancelled.push(new Promise((resolve) => signal.addEventListener("abort", resolve)));
        return never();
      },
      hello: never,
    });
    const quick = service(Greeter, { peek: () => ({ text: "quick" }), hello: () => ({ text: "quick" }) });
    const [a] = await startMembers(t, {}, { services: [slow] }, { services: [quick] });
    const calls = client(a!, Greeter, { hedgeMs: 20, timeoutMs: 10_000 });
    for (let i = 0; i < 4; i++) assert.equal((await calls.peek({})).text, "quick");
    assert.ok(cancelled.length >= 2);
    await Promise.all(cancelled);
    const outcomes = await Promise.allSettled([
      calls.hello({}, { timeoutMs: 200 }),
      calls.hello({}, { timeoutMs: 200 }),
    ]);
    assert.equal(outcomes.filter(isRejected).length, 1, "what is not idempotent is asked once");
  });
});

describe("a member that answers errors", () => {
  it("is avoided after five in a row, by all clients of the mesh, but never more than half of them", async (t) => {
    const runs = { b: 0, c: 0 };
    let isWell = false;
    const broken = (name: "b" | "c") =>
      service(Greeter, {
        hello: () => {
          runs[name] += 1;
          return isWell ? { text: name } : failing(status.INTERNAL);
        },
      });
    const well = service(Greeter, { hello: () => ({ text: "well" }) });
    const [a] = await startMembers(t, {}, { services: [broken("b")] }, { services: [well] });
    const call = (): Promise<unknown> => client(a!, Greeter).hello({});
    for (let i = 0; i < 40; i++) await call().catch(() => {});
    assert.equal(runs.b, 5);
    for (let i = 0; i < 10; i++) assert.deepEqual(await call(), await client(a!, Greeter).hello({}));

    const lone = await startMesh(t, { services: [broken("c")] });
    for (let i = 0; i < 20; i++) {
      await assert.rejects(client(lone, Greeter).hello({}), failsWith("BLIP_CALL_FAILED"));
    }
    assert.equal(runs.c, 20);
    isWell = true;
    assert.equal((await client(lone, Greeter).hello({})).text, "c");
  });
});

describe("all members at once", () => {
  it("answer as they come, each with its member, and fail alone", async (t) => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const named = (name: string, before?: Promise<void>) =>
      service(Greeter, {
        hello: async () => {
          await before;
          return { text: name };
        },
        async *count() {
          yield { text: `${name} 1` };
          yield { text: `${name} 2` };
        },
      });
    const broken = service(Greeter, { hello: () => failing(status.ABORTED) });
    const members = await startMembers(
      t,
      { services: [named("a")] },
      { services: [named("b", released)] },
      { services: [broken] },
    );
    const calls = client(members[0]!, Greeter);
    const answers: string[] = [];
    for await (const { member, value, error } of calls.all().hello({})) {
      const at = members.findIndex(({ localAddress }) => localAddress === member.address);
      answers.push(`${at} ${value === undefined ? (error as BlipError).status : value.text}`);
      if (answers.length === 2) release();
    }
    assert.deepEqual(answers.slice(0, 2).sort(), ["0 a", `2 ${status.ABORTED}`]);
    assert.equal(answers[2], "1 b");
    const counted = await collect(calls.all().count({}));
    assert.deepEqual(counted.flatMap(({ value }) => value?.text ?? []).sort(), ["a 1", "a 2", "b 1", "b 2"]);
    assert.equal(counted.filter(({ error }) => error !== undefined).length, 1);
    // @ts-expect-error: the requests of a stream cannot be sent to several
    assert.equal(calls.all().sum, undefined);
    for await (const { value } of calls.all().count({}, { timeoutMs: 5000 })) {
      if (value !== undefined) break;
    }
    const stop = AbortSignal.abort(new Error("enough"));
    for (const { error } of await collect(calls.all().hello({}, { signal: stop }))) {
      assert.ok(failsWith("BLIP_ABORTED")(error));
    }
  });
});

describe("bad input", () => {
  it("is refused when a client is made, by the name of the option", async (t) => {
    const mesh = await startMesh(t);
    const wrong: readonly (readonly [field: string, options: object])[] = [
      ["retry", { retry: 1 }],
      ["where", { where: "eu" }],
      ["balance", { balance: "fastest" }],
      ["balance", { balance: { policy: "fastest" } }],
      ["balance", { balance: null }],
      ["balance.keys", { balance: { policy: "byKey", keys: 1 } }],
      ["balance.key", { balance: { policy: "byKey", key: "id" } }],
      ["balance.maxLoad", { balance: { policy: "byKey", maxLoad: 0.5 } }],
      ["balance.zone", { balance: { policy: "prefer", zone: "eu" } }],
      ["balance.self", { balance: { policy: "prefer", self: 1 } }],
      ["balance.metadata", { balance: { policy: "prefer", metadata: 1 } }],
      ["balance.overflow", { balance: { policy: "prefer", overflow: 0 } }],
      ["balance.within", { balance: { policy: "prefer", within: "byKey" } }],
      ["retries", { retries: -1 }],
      ["retries", { retries: "3" }],
      ["retryBudget", { retryBudget: 2 }],
      ["idempotent", { idempotent: "hello" }],
      ["idempotent[0]", { idempotent: ["bye"] }],
      ["hedgeMs", { hedgeMs: 0 }],
      ["timeoutMs", { timeoutMs: 0 }],
      ["waitForMembers", { waitForMembers: 1 }],
      ["subset", { subset: 0.5 }],
      ["maxMessageBytes", { maxMessageBytes: 2 ** 40 }],
    ];
    for (const [field, options] of wrong) {
      assert.throws(
        () => client(mesh, Greeter, options as ClientOptions),
        failsWith("BLIP_INVALID_OPTIONS", { field }),
        field,
      );
    }
    assert.throws(() => client({} as never, Greeter), failsWith("BLIP_INVALID_OPTIONS", { field: "mesh" }));
    assert.throws(() => client(mesh, Nothing), /definition: .*demo\.Nothing has none/);
    assert.throws(() => client(mesh, {}), failsWith("BLIP_INVALID_OPTIONS", { field: "definition" }));
  });

  it("is refused among handlers: one for no method, but what else the instance of a class has", () => {
    const hello = (): { text: string } => ({ text: "" });
    const mistyped = { hello, helo: hello };
    assert.throws(
      () => service(Greeter, mistyped),
      failsWith("BLIP_INVALID_OPTIONS", { field: "handlers.helo" }),
    );
    class Handlers {
      greeting = "hello";
      hello = hello;
    }
    assert.equal(service(Greeter, new Handlers()).name, "demo.Greeter");
  });

  it("of a call is refused by its name, before anything is sent", async (t) => {
    let runs = 0;
    const text = "x".repeat(1000);
    const greeter = service(Greeter, {
      hello: ({ name }) => {
        runs += 1;
        return { text: name === "big" ? text : name };
      },
      async *count() {
        yield { text };
      },
    });
    const mesh = await startMesh(t, { services: [greeter] });
    const calls = client(mesh, Greeter, { maxMessageBytes: 100 });
    const refused = async (field: string, call: Promise<unknown>): Promise<void> => {
      await assert.rejects(call, failsWith("BLIP_INVALID_OPTIONS", { field }), field);
    };
    await refused("timeoutMs", calls.hello({}, { timeoutMs: 0 }));
    await refused("timeoutMs", calls.hello({}, { timeoutMs: Number.NaN }));
    await refused("deadline", calls.hello({}, { deadline: Date.now() - 1 }));
    await refused("deadline", calls.hello({}, { deadline: new Date(0) }));
    await refused("deadline", calls.hello({}, { deadline: new Date("soon") }));
    const wrong: readonly (readonly [field: string, options: unknown])[] = [
      ["options", null],
      ["timeout", { timeout: 5 }],
      ["signal", { signal: "now" }],
      ["metadata", { metadata: "a: b" }],
      ["idempotent", { idempotent: "yes" }],
    ];
    for (const [field, options] of wrong) await refused(field, calls.hello({}, options as CallOptions));
    await refused("request", calls.hello({ name: text }));
    for (const key of ["bad key", "", "ключ", "grpc-timeout", ":path"]) {
      await refused(`metadata[${JSON.stringify(key)}]`, calls.hello({}, { metadata: { [key]: "x" } }));
    }
    await refused('metadata["a"]', calls.hello({}, { metadata: { a: "ünicode" } }));
    await refused('metadata["a"]', calls.hello({}, { metadata: { a: "two\nlines" } }));
    await refused('metadata["a"]', calls.hello({}, { metadata: { a: new Uint8Array(1) } }));
    await refused('metadata["a-bin"]', calls.hello({}, { metadata: { "a-bin": "text" } }));
    const byKey = client(mesh, Greeter, { balance: { policy: "byKey" } });
    await refused("key", byKey.hello({}));
    assert.equal(runs, 0);
    await refused("response", calls.hello({ name: "big" }));
    await refused("response", collect(calls.count({})));
    assert.equal(runs, 1);
    const metadata = { a: "x", "b-bin": new Uint8Array([0, 255]) };
    assert.equal((await calls.hello({ name: "n" }, { metadata, deadline: Date.now() + 5000 })).text, "n");
    assert.equal((await calls.hello({ name: "n" }, { metadata: new Metadata() })).text, "n");
  });

  it("names the service that nobody serves, and what is wanted", async (t) => {
    const mesh = await startMesh(t);
    await assert.rejects(client(mesh, Echo).say("x"), (error: BlipError) => {
      assert.match(error.message, /demo\.Echo/);
      assert.match(error.message, /service\(/);
      return failsWith("BLIP_NO_MEMBERS")(error);
    });
  });
});

describe("calls by key", () => {
  it("go to the owner, by what the request says or the call", async (t) => {
    const named = (name: string) =>
      service(Greeter, {
        hello: () => ({ text: name }),
        sum: async (names) => {
          await collect(names);
          return { text: name };
        },
      });
    const options = ["a", "b", "c", "d"].map((name) => ({ services: [named(name)] }));
    const members = await startMembers(t, ...options);
    const balance = { policy: "byKey", key: ({ name }: { name: string }) => name } as const;
    const clients = members.map((mesh) => client(mesh, Greeter, { balance }));
    const owners = new Set<string>();
    for (let i = 0; i < 16; i++) {
      const name = `key ${i}`;
      const answers = await Promise.all(clients.map((calls) => calls.hello({ name })));
      assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
      owners.add(answers[0]!.text);
      assert.deepEqual(
        await clients[0]!.sum(each({}), { key: name }),
        await clients[1]!.sum(each({}), { key: name }),
      );
      assert.equal((await clients[2]!.hello({ name: "other" }, { key: name })).text, answers[0]!.text);
    }
    assert.ok(owners.size > 1);
  });

  it("prefer oneself, and those in the same zone", async (t) => {
    const at = (zone: string) => ({
      metadata: { zone },
      services: [service(Greeter, { hello: () => ({ text: zone }) })],
    });
    const [caller, , near] = await startMembers(t, { metadata: { zone: "eu" } }, at("us"), at("eu"));
    const zoned = client(caller!, Greeter, { balance: { policy: "prefer", metadata: "zone" } });
    for (let i = 0; i < 4; i++) assert.equal((await zoned.hello({})).text, "eu");
    const own = client(near!, Greeter, { balance: { policy: "prefer" } });
    for (let i = 0; i < 4; i++) assert.equal((await own.hello({})).text, "eu");
  });
});
