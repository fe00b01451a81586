// Health and reflection, as tools outside of the mesh use them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { goProgram } from "../../test/go-program.ts";
import { Health, ServerReflection, ServerReflectionAlpha, ServingStatus } from "../grpc/index.ts";
import { Echo, Greeter, PATIENCE, startMembers, startMesh } from "./greeter.test.ts";
import { service } from "./service.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;
const request = Health.method.check.input;
const response = Health.method.check.output;
const encode = (name: string): Buffer => Buffer.from(toBinary(request, create(request, { service: name })));
const decode = (bytes: Buffer): number => fromBinary(response, bytes).status;

/** A client of no mesh, as a kubelet or a load balancer is. */
class Outside {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  check(name: string): Promise<number> {
    const options = { deadline: Date.now() + PATIENCE.timeoutMs };
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        encode,
        decode,
        name,
        options,
        (error, now) => {
          if (error) reject(error);
          else resolve(now!);
        },
      );
    });
  }

  async *watch(name: string): AsyncGenerator<number, void, undefined> {
    yield* this.#client.makeServerStreamRequest("/grpc.health.v1.Health/Watch", encode, decode, name);
  }

  close(): void {
    this.#client.close();
  }
}

const greeting = service(Greeter, { hello: ({ name }) => ({ text: `hello ${name}` }) });

describe("health", () => {
  it("is that of the member, and of each of its services", async (t) => {
    const mesh = await startMesh(t, { services: [greeting] });
    const outside = new Outside(mesh.localAddress);
    t.after(() => outside.close());
    for (const name of ["", "readiness", "liveness", "demo.Greeter"]) {
      assert.equal(await outside.check(name), SERVING, name);
    }
    await assert.rejects(outside.check("demo.Other"), (error: ServiceError) => {
      assert.equal(error.code, status.NOT_FOUND);
      assert.match(error.details, /no service "demo\.Other" here/);
      return true;
    });
    mesh.setServing("demo.Greeter", false);
    assert.equal(await outside.check("demo.Greeter"), NOT_SERVING);
    assert.equal(await outside.check("readiness"), SERVING);
    mesh.setServing("demo.Greeter", true);
    mesh.setServing("readiness", false);
    for (const name of ["", "readiness", "demo.Greeter"])
      assert.equal(await outside.check(name), NOT_SERVING);
    assert.equal(await outside.check("liveness"), SERVING);
    for (const name of ["liveness", "demo.Other", ""]) {
      assert.throws(() => mesh.setServing(name, false), { code: "BLIP_INVALID_OPTIONS", field: "service" });
    }
    assert.ok(!mesh.cut.members[0]!.has("grpc.health.v1.Health"));
  });

  it("sees a member that still joins: alive, and not ready", async (t) => {
    const founder = await startMesh(t);
    const { port } = new URL(`http://${founder.localAddress}`);
    await founder.close();
    const stop = new AbortController();
    const listen = `127.0.0.1:${Number(port)}`;
    const joining = startMesh(t, { listen, seeds: ["127.0.0.1:1"], signal: stop.signal });
    joining.catch(() => {});
    const outside = new Outside(listen);
    t.after(() => outside.close());
    assert.equal(await outside.check("liveness"), SERVING);
    assert.equal(await outside.check("readiness"), NOT_SERVING);
    stop.abort();
    await assert.rejects(joining, { code: "BLIP_ABORTED" });
  });

  it("is told to those who watch: readiness goes before the member leaves, and liveness stays", async (t) => {
    const [a, b] = await startMembers(t, {}, { services: [greeting] });
    const outside = new Outside(b!.localAddress);
    t.after(() => outside.close());
    const ready = outside.watch("readiness");
    const greeter = outside.watch("demo.Greeter");
    const unknown = outside.watch("demo.Other");
    assert.equal((await ready.next()).value, SERVING);
    assert.equal((await greeter.next()).value, SERVING);
    assert.equal((await unknown.next()).value, SERVICE_UNKNOWN);
    const left = b!.leave({ noticeMs: 60_000, timeoutMs: 90_000 });
    assert.equal((await ready.next()).value, NOT_SERVING);
    assert.equal((await greeter.next()).value, NOT_SERVING);
    // The notice is as long as the probe needs; here the test itself ends it.
    assert.equal(a!.cut.members.length, 2);
    assert.equal(await outside.check("liveness"), SERVING);
    await b!.close();
    assert.equal(await left, false);
  });

  it("is what grpc-health-probe goes by, as a kubelet does: readiness is gone while the member is still in the mesh", async (t) => {
    const tool = await goProgram("grpc-health-probe");
    if ("missing" in tool) return t.skip(tool.missing);
    const [a, b] = await startMembers(t, {}, {});
    const probe = async (name: string): Promise<string> => {
      const words = ["-addr", b!.localAddress, "-service", name, "-rpc-timeout", `${PATIENCE.timeoutMs}ms`];
      try {
        return (await promisify(execFile)(tool.path, words)).stderr.trim();
      } catch (error) {
        const { code, stderr } = error as { code: number; stderr: string };
        return `${code}: ${stderr.trim()}`;
      }
    };
    assert.equal(await probe("readiness"), "status: SERVING");
    assert.equal(
      await probe("other"),
      '3: error: health rpc failed: rpc error: code = NotFound desc = no service "other" here',
    );
    const left = b!.leave({ noticeMs: 60_000, timeoutMs: 90_000 });
    assert.equal(await probe("readiness"), '4: service unhealthy (responded with "NOT_SERVING")');
    assert.equal(await probe("liveness"), "status: SERVING");
    assert.equal(a!.cut.members.length, 2);
    await b!.close();
    assert.equal(await left, false);
  });

  it("keeps nobody waiting who leaves", async (t) => {
    const [, b] = await startMembers(t, {}, {});
    const outside = new Outside(b!.localAddress);
    t.after(() => outside.close());
    const watching = outside.watch("");
    assert.equal((await watching.next()).value, SERVING);
    const before = performance.now();
    assert.equal(await b!.leave({ timeoutMs: 60_000 }), true);
    assert.ok(performance.now() - before < 20_000);
    assert.equal((await watching.next()).value, NOT_SERVING);
  });

  it("is the user's own where there is one, and nobody's where it is not wanted", async (t) => {
    const own = service(Health, { check: () => ({ status: SERVICE_UNKNOWN }) });
    const mesh = await startMesh(t, { services: [own] });
    const outside = new Outside(mesh.localAddress);
    t.after(() => outside.close());
    assert.equal(await outside.check("readiness"), SERVICE_UNKNOWN);
    const silent = await startMesh(t, { health: false, reflection: false });
    const other = new Outside(silent.localAddress);
    t.after(() => other.close());
    await assert.rejects(other.check("readiness"), { code: status.UNIMPLEMENTED });
  });
});

describe("reflection", () => {
  for (const desc of [ServerReflection, ServerReflectionAlpha]) {
    it(`${desc.typeName} describes what is served, and says what it does not know`, async (t) => {
      const bytes = toBinary(FileDescriptorProtoSchema, Greeter.file.proto);
      const described = { ...Echo, say: { ...Echo.say, requestType: { fileDescriptorProtos: [bytes] } } };
      const echo = service(described, { say: (call, answer) => answer(null, call.request) });
      const mesh = await startMesh(t, { services: [greeting, echo] });
      const client = new Client(mesh.localAddress, credentials.createInsecure());
      t.after(() => client.close());
      const { input, output } = ServerReflection.method.serverReflectionInfo;
      const stream = client.makeBidiStreamRequest(
        `/${desc.typeName}/ServerReflectionInfo`,
        (asked: Parameters<typeof create<typeof input>>[1]) =>
          Buffer.from(toBinary(input, create(input, asked))),
        (answer: Buffer) => fromBinary(output, answer).messageResponse,
      );
      const answers = stream[Symbol.asyncIterator]();
      const ask = async (which: string, value: unknown) => {
        stream.write({ messageRequest: { case: which, value } as never });
        return (await answers.next()).value as {
          readonly case: string;
          readonly value: Record<string, unknown>;
        };
      };
      const names = (await ask("listServices", "")).value.service as { name: string }[];
      assert.deepEqual(
        names.map(({ name }) => name),
        [
          "blip.Membership",
          "blip.ext.v1.Peer",
          "demo.Echo",
          "demo.Greeter",
          "grpc.health.v1.Health",
          "grpc.reflection.v1.ServerReflection",
          "grpc.reflection.v1alpha.ServerReflection",
        ],
      );
      for (const symbol of ["demo.Greeter", "demo.Greeter.Hello", ".demo.Name", "demo.Name.name"]) {
        const found = await ask("fileContainingSymbol", symbol);
        const [file] = found.value.fileDescriptorProto as Uint8Array[];
        assert.equal(fromBinary(FileDescriptorProtoSchema, file!).name, "greeter.proto", symbol);
      }
      const peer = await ask("fileContainingSymbol", "blip.ext.v1.Peer");
      assert.equal((peer.value.fileDescriptorProto as Uint8Array[]).length, 2, "with what it depends on");
      for (const [which, value, code, words] of [
        ["fileByFilename", "no.proto", status.NOT_FOUND, /no file no\.proto/],
        ["fileContainingSymbol", "demo.Echo", status.NOT_FOUND, /no description of demo\.Echo/],
        ["allExtensionNumbersOfType", "demo.Name", status.NOT_FOUND, /no extensions/],
      ] as const) {
        const { case: kind, value: error } = await ask(which, value);
        assert.equal(kind, "errorResponse");
        assert.equal(error.errorCode, code);
        assert.match(String(error.errorMessage), words);
      }
      stream.end();
      assert.equal((await answers.next()).done, true);
    });
  }

  it("lets grpcurl list, describe and call a service", async (t) => {
    const tool = await goProgram("grpcurl");
    if ("missing" in tool) return t.skip(tool.missing);
    const mesh = await startMesh(t, { services: [greeting] });
    const run = async (...words: readonly string[]): Promise<string> => {
      return (await promisify(execFile)(tool.path, ["-plaintext", ...words], { timeout: 60_000 })).stdout;
    };
    const at = mesh.localAddress;
    assert.match(await run(at, "list"), /^demo\.Greeter$/m);
    assert.match(await run(at, "list", "demo.Greeter"), /^demo\.Greeter\.Hello$/m);
    assert.match(
      await run(at, "describe", "demo.Greeter"),
      /rpc Hello \( \.demo\.Name \) returns \( \.demo\.Greeting \)/,
    );
    const answer = await run("-d", '{"name":"grpcurl"}', at, "demo.Greeter/Hello");
    assert.deepEqual(JSON.parse(answer), { text: "hello grpcurl" });
    const health = await run("-d", '{"service":"readiness"}', at, "grpc.health.v1.Health/Check");
    assert.deepEqual(JSON.parse(health), { status: "SERVING" });
    assert.match(await run(at, "describe", "blip.Membership"), /rpc PreJoin/);
  });
});
