// Stubs of grpc-js that find members by "blip:package.Service".

import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { Echo, failsWith, startMembers, startMesh } from "../mesh/greeter.test.ts";
import { service } from "../mesh/service.ts";
import { attachMesh, meshChannelOptions, type StubOptions } from "./index.ts";

const Stub = makeGenericClientConstructor(Echo, "Echo");
type Say = (
  text: string,
  options: { readonly deadline: number },
  ended: (error: ServiceError | null, answer: string) => void,
) => void;

function stub(t: TestContext, target: string, options: ChannelOptions): (text?: string) => Promise<string> {
  const made = new Stub(target, credentials.createInsecure(), options);
  t.after(() => made.close());
  const say = (made as unknown as { readonly say: Say }).say.bind(made);
  return (text = "x") =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + 10_000;
      say(text, { deadline }, (error, answer) => (error === null ? resolve(answer) : reject(error)));
    });
}

const named = (name: string) => service(Echo, { say: (_call, answer) => answer(null, name) });

async function heardFrom(say: () => Promise<string>, calls: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < calls; i++) {
    const name = await say();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Until connections to all are there, calls go to those that are. */
async function untilHeard(say: () => Promise<string>, names: readonly string[]): Promise<void> {
  const left = new Set(names);
  for (const untilMs = Date.now() + 10_000; left.size > 0; ) {
    assert.ok(Date.now() < untilMs, `nothing was heard from ${[...left]}`);
    left.delete(await say());
  }
}

describe("a stub for blip:package.Service", () => {
  it("spreads calls over the members that serve, as they come and go", async (t) => {
    const [mesh, b] = await startMembers(t, { services: [named("a")] }, { services: [named("b")] }, {});
    const say = stub(t, "blip:demo.Echo", meshChannelOptions(mesh!));
    await untilHeard(say, ["a", "b"]);
    assert.deepEqual(await heardFrom(say, 10), { a: 5, b: 5 });
    await startMesh(t, { seeds: [mesh!.localAddress], services: [named("c")] });
    await untilHeard(say, ["c"]);
    await b!.leave();
    await mesh!.waitFor((cut) => cut.lookup(b!.localAddress) === undefined);
    assert.deepEqual(await heardFrom(say, 10), { a: 5, c: 5 });
  });

  it("has every policy, and calls those that are accepted", async (t) => {
    const [mesh] = await startMembers(t, { services: [named("a")] }, { services: [named("b")] });
    for (const balance of ["roundRobin", "random", "leastPending"] as const) {
      await untilHeard(stub(t, "blip:///demo.Echo", meshChannelOptions(mesh!, { balance })), ["a", "b"]);
    }
    const where: NonNullable<StubOptions["where"]> = ({ address }) => address === mesh!.localAddress;
    const own = stub(t, "blip:demo.Echo", meshChannelOptions(mesh!, { where }));
    assert.deepEqual(await heardFrom(own, 4), { a: 4 });
  });

  it("avoids who answers errors", async (t) => {
    let runs = 0;
    const broken = service(Echo, {
      say: (_call, answer) => {
        runs += 1;
        answer({ code: status.INTERNAL });
      },
    });
    const [mesh] = await startMembers(t, { services: [broken] }, { services: [named("b")] });
    const say = stub(t, "blip:demo.Echo", meshChannelOptions(mesh!));
    for (let i = 0; i < 100; i++) await say().catch(() => {});
    assert.equal(runs, 5);
  });

  it("keeps calls under way at a member that leaves", async (t) => {
    let answer = (): void => {};
    let asked = (): void => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const slow = service(Echo, {
      say: (_call, ended) => {
        answer = () => ended(null, "late");
        asked();
      },
    });
    const [mesh, b] = await startMembers(t, {}, { services: [slow] });
    const say = stub(t, "blip:demo.Echo", meshChannelOptions(mesh!));
    const answered = say();
    await isAsked;
    const left = b!.leave();
    await mesh!.waitFor((cut) => cut.members.length === 1);
    answer();
    assert.equal(await answered, "late");
    assert.equal(await left, true);
    await assert.rejects(say(), /UNAVAILABLE: .*no member serves demo\.Echo/);
  });

  it("takes the mesh that is attached where it has no own", async (t) => {
    const mesh = await startMesh(t, { services: [named("a")] });
    await assert.rejects(stub(t, "blip:demo.Echo", {})(), /UNAVAILABLE: .*attachMesh/);
    const detach = attachMesh(mesh);
    assert.equal(await stub(t, "blip:demo.Echo", {})(), "a");
    detach();
    await assert.rejects(stub(t, "blip:demo.Echo", {})(), /UNAVAILABLE: .*there is no mesh/);
  });

  it("tells that the mesh was closed", async (t) => {
    const mesh = await startMesh(t, { services: [named("a")] });
    const say = stub(t, "blip:demo.Echo", meshChannelOptions(mesh));
    assert.equal(await say(), "a");
    await mesh.close();
    await assert.rejects(say(), /UNAVAILABLE/);
  });

  it("stays responsive when connections are lost, and answers only when members change", async (t) => {
    const [mesh, b] = await startMembers(t, {}, { services: [named("b")] });
    const made = new Client("blip:demo.Echo", credentials.createInsecure(), meshChannelOptions(mesh!));
    t.after(() => made.close());
    const channel = made.getChannel();
    const changed = (from: connectivityState): Promise<void> =>
      new Promise((resolve) => {
        channel.watchConnectivityState(from, Date.now() + 10_000, () => resolve());
      });
    while (channel.getConnectivityState(true) !== connectivityState.READY) {
      await changed(channel.getConnectivityState(true));
    }
    await b!.close();
    await changed(connectivityState.READY);
    // Timers would not run if it were asked and answered without end.
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.notEqual(channel.getConnectivityState(false), connectivityState.READY);
  });

  it("refuses options that cannot work", async (t) => {
    const mesh = await startMesh(t);
    const wrong: readonly (readonly [field: string, options: object])[] = [
      ["balance", { balance: "byKey" }],
      ["where", { where: 1 }],
      ["subset", { subset: 0 }],
      ["retries", { retries: 1 }],
    ];
    for (const [field, options] of wrong) {
      const refused = failsWith("BLIP_INVALID_OPTIONS", { field });
      assert.throws(() => meshChannelOptions(mesh, options as StubOptions), refused);
      assert.throws(() => attachMesh(mesh, options as StubOptions), refused);
    }
    assert.throws(
      () => meshChannelOptions({} as never),
      failsWith("BLIP_INVALID_OPTIONS", { field: "mesh" }),
    );
    assert.throws(() => stub(t, "blip:not a name", meshChannelOptions(mesh)), /package\.Service/);
  });
});
