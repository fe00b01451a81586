// Every option that cannot work is refused at once, by its name.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseEndpoint } from "../core/endpoint.ts";
import { parseHostPort } from "./address.ts";
import { type BlipError, isBlipError } from "./errors.ts";
import { checkOptions, type MeshOptions, refuseOwnSeeds } from "./options.ts";

function refusalOf(options: unknown): BlipError {
  try {
    checkOptions(options as MeshOptions);
  } catch (error) {
    assert.ok(isBlipError(error), String(error));
    assert.equal(error.code, "BLIP_INVALID_OPTIONS");
    return error;
  }
  return assert.fail(`accepted ${JSON.stringify(options)}`);
}

const service = { name: "demo.A", register: () => {} };

describe("options that cannot work", () => {
  const wrong: readonly (readonly [options: unknown, field: string, message: RegExp])[] = [
    [null, "options", /an object/],
    [{ listne: "127.0.0.1:1" }, "listne", /one of listen, /],
    [{ listen: 7946 }, "listen", /host:port.*7946/],
    [{ listen: "127.0.0.1" }, "listen", /host:port.*"127.0.0.1"/],
    [{ listen: "127.0.0.1:70000" }, "listen", /70000/],
    [{ listen: "999.0.0.1:1" }, "listen", /999/],
    [{ listen: "::1:0" }, "listen", /host:port/],
    [{ listen: "[fe80::1%eth0]:0" }, "listen", /eth0/],
    [{ listen: "[localhost]:0" }, "listen", /localhost/],
    [{ listen: "ex ample:1" }, "listen", /ex ample/],
    [{ listen: "0.0.0.0:7946" }, "advertise", /since listen is 0.0.0.0/],
    [{ listen: "[::]:0" }, "advertise", /since listen is ::/],
    [{ advertise: "example.com:1" }, "advertise", /IP:port.*example/],
    [{ advertise: "127.0.0.1:0" }, "advertise", /IP:port/],
    [{ advertise: "0.0.0.0:1" }, "advertise", /IP:port/],
    [{ advertise: "[::]:1" }, "advertise", /IP:port/],
    [{ advertise: "tls://127.0.0.1:1" }, "advertise", /IP:port/],
    ...[
      "224.0.0.1:1",
      "239.255.255.255:1",
      "255.255.255.255:1",
      "[ff02::1]:1",
      "[::ffff:224.0.0.1]:1",
    ].flatMap((address): [MeshOptions, string, RegExp][] => [
      [{ listen: address }, "listen", /of one machine, not multicast or broadcast, got "/],
      [{ advertise: address }, "advertise", /of one machine, not multicast or broadcast, got "/],
      [{ seeds: ["127.0.0.1:1", address] }, "seeds[1]", /of one machine, not multicast or broadcast, got "/],
    ]),
    [{ seeds: "127.0.0.1:1" }, "seeds", /an array/],
    [{ seeds: ["127.0.0.1:1", "x"] }, "seeds[1]", /host:port.*"x"/],
    [{ seeds: ["127.0.0.1:0"] }, "seeds[0]", /host:port/],
    [{ seeds: ["0.0.0.0:1"] }, "seeds[0]", /host:port/],
    [{ seeds: [1] }, "seeds[0]", /host:port/],
    [{ metadata: [] }, "metadata", /object/],
    [{ metadata: { zone: 1 } }, 'metadata["zone"]', /a text or a Uint8Array, got 1/],
    [{ metadata: { "blip.x": "" } }, 'metadata["blip.x"]', /does not start with "blip."/],
    [{ metadata: { "demo.A": "" }, services: [service] }, 'metadata["demo.A"]', /not the name of/],
    [{ metadata: { big: new Uint8Array(1024 * 1024) } }, "metadata", /at most 1048576 bytes, got 10485/],
    [{ services: {} }, "services", /an array/],
    [{ services: [service, {}] }, "services[1]", /what service/],
    [{ services: [service, service] }, "services[1]", /not there yet, got "demo.A"/],
    [{ services: [{ ...service, name: "blip.Membership" }] }, "services[0]", /blip.Membership/],
    [{ cutDetector: 3 }, "cutDetector", /an object/],
    [{ cutDetector: { k: 3 } }, "cutDetector.k", /observers, high, low/],
    [{ cutDetector: { observers: 31 } }, "cutDetector.observers", /from 1 to 30, got 31/],
    [{ cutDetector: { observers: 5 } }, "cutDetector.high", /to observers \(5\), got 9/],
    [{ cutDetector: { low: 0 } }, "cutDetector.low", /got 0/],
    [{ faultTimeoutMs: 1.5 }, "faultTimeoutMs", /whole milliseconds.*got 1.5/],
    [{ faultStrikes: 0 }, "faultStrikes", /got 0/],
    [{ preset: "fast" }, "preset", /"lowLatency", got "fast"/],
    [{ signal: {} }, "signal", /an AbortSignal/],
    [{ logger: { info() {} } }, "logger", /function debug/],
  ];
  for (const [options, field, message] of wrong) {
    it(`${field}: ${message.source}`, () => {
      const refusal = refusalOf(options);
      assert.equal(refusal.field, field);
      assert.match(refusal.message, message);
      assert.ok(refusal.message.startsWith(`${field}: expected `), refusal.message);
    });
  }

  it("seeds that are only this member itself", () => {
    const own = new Set([parseEndpoint("127.0.0.1:1")!]);
    assert.throws(() => refuseOwnSeeds(["127.0.0.1:1"], own), { field: "seeds", message: /other than/ });
    refuseOwnSeeds(["127.0.0.1:1", "127.0.0.1:2"], own);
    refuseOwnSeeds(["localhost:1"], own);
    refuseOwnSeeds(() => [], own);
    refuseOwnSeeds(undefined, own);
  });
});

describe("options that work", () => {
  it("are completed by defaults", () => {
    const checked = checkOptions({});
    assert.deepEqual(checked.listen, { host: "127.0.0.1", port: 7946 });
    assert.equal(checked.seeds, undefined);
    assert.equal(checked.advertise, undefined);
    assert.deepEqual(checked.settings, {
      cutDetector: { observers: 10, high: 9, low: 4 },
      faultTimeoutMs: 2000,
      faultStrikes: 3,
    });
    assert.deepEqual(Object.keys(checked.metadata), ["blip.ext.v1.Peer"]);
  });

  it("take the preset, and what is set beside it", () => {
    const { settings } = checkOptions({ preset: "lowLatency", faultStrikes: 4, cutDetector: { low: 3 } });
    assert.equal(settings.faultTimeoutMs, 150);
    assert.equal(settings.faultStrikes, 4);
    assert.deepEqual(settings.cutDetector, { observers: 10, high: 9, low: 3 });
  });

  it("found a mesh where the list of seeds is empty", () => {
    assert.equal(checkOptions({ seeds: [] }).seeds, undefined);
  });

  it("copy the metadata, and add what is served", () => {
    const blob = new Uint8Array([1]);
    const { metadata } = checkOptions({ metadata: { zone: "ü", blob }, services: [service] });
    blob[0] = 2;
    assert.deepEqual(
      { ...metadata },
      {
        zone: new TextEncoder().encode("ü"),
        blob: new Uint8Array([1]),
        "demo.A": new Uint8Array(),
        "blip.ext.v1.Peer": Buffer.from("1"),
      },
    );
    assert.equal(Object.getPrototypeOf(metadata), null);
  });

  it("keep keys that an object inherits", () => {
    const given = Object.defineProperty({}, "__proto__", { value: "x", enumerable: true });
    const { metadata } = checkOptions({ metadata: given as Record<string, string> });
    assert.ok(Object.hasOwn(metadata, "__proto__"));
  });
});

describe("host:port", () => {
  it("is read as it was written", () => {
    const port = fc.integer({ min: 0, max: 65535 });
    const ip = fc.oneof(
      fc.ipV4(),
      fc.ipV6().map((text) => `[${text}]`),
      fc.domain(),
      fc.constant("localhost"),
    );
    fc.assert(
      fc.property(ip, port, (host, at) => {
        const bare = host.startsWith("[") ? host.slice(1, -1) : host;
        assert.deepEqual(parseHostPort(`${host}:${at}`), { host: bare, port: at });
      }),
    );
  });

  it("is nothing else, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        const read = parseHostPort(text);
        if (read !== undefined) assert.match(text, /:\d{1,5}$/);
      }),
    );
  });
});
