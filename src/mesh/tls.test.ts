// Meshes over TLS: who gets in, who does not, and what both sides are told.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { Authority, type Issued, SHARED_NAME } from "../../test/certificates.ts";
import type { Authorize, Caller, Wish } from "./caller.ts";
import { client } from "./client.ts";
import { Greeter, LOOPBACK, PATIENCE, startMembers, startMesh } from "./greeter.test.ts";
import type { Logger } from "./logger.ts";
import { createMesh, type Mesh } from "./mesh.ts";
import type { MeshOptions } from "./options.ts";
import { service } from "./service.ts";
import type { TlsOptions } from "./tls-options.ts";

const authority = await Authority.create("mesh authority");
const other = await Authority.create("another authority");
const own = await authority.issue({ name: "a member" });
const nameOnly = await authority.issue({ name: "b", ips: [] });

const with_ = (issued: Issued, more: Partial<TlsOptions> = {}): TlsOptions => ({
  ...issued,
  ca: authority.pem,
  ...more,
});
const mutual = (issued: Issued = own, more: Partial<TlsOptions> = {}): TlsOptions =>
  with_(issued, { clientAuth: true, ...more });

const greeting = service(Greeter, {
  hello: async ({ name }, { certificate }) => ({ text: `${name}, ${certificate?.name}` }),
  async *count({ count }) {
    for (let i = 0; i < count; i++) yield { text: String(i) };
  },
});

/** A logger, and what it was told. */
function listening(): { readonly logger: Logger; readonly heard: (pattern: RegExp) => Promise<string> } {
  const texts: string[] = [];
  const waiting: { readonly pattern: RegExp; readonly resolve: (text: string) => void }[] = [];
  const note = (_context: object, text: string): void => {
    texts.push(text);
    for (const { pattern, resolve } of waiting) if (pattern.test(text)) resolve(text);
  };
  return {
    logger: { debug: note, info: note, warn: note, error: note },
    heard: (pattern) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          reject(new Error([`nobody said ${pattern}, but:`, ...texts].join("\n")));
        }, PATIENCE.timeoutMs);
        const found = (text: string): void => {
          clearTimeout(late);
          resolve(text);
        };
        const said = texts.find((text) => pattern.test(text));
        if (said !== undefined) return found(said);
        waiting.push({ pattern, resolve: found });
      }),
  };
}

/** Tries to join until both sides have said why not; then checks that nobody has seen it. */
async function refusedStranger(
  founder: Mesh,
  founderHeard: Promise<string>,
  options: MeshOptions,
  strangerHears: RegExp,
): Promise<{ readonly there: string; readonly here: string }> {
  const stop = new AbortController();
  const { logger, heard } = listening();
  const seen: number[] = [];
  founder.on("cut", (cut) => seen.push(cut.members.length));
  const joining = createMesh({
    listen: LOOPBACK,
    seeds: [founder.localAddress],
    ...options,
    logger,
    signal: stop.signal,
  });
  const here = await heard(strangerHears);
  const there = await founderHeard;
  stop.abort();
  await assert.rejects(joining, { code: "BLIP_ABORTED" });
  assert.equal(founder.cut.members.length, 1);
  assert.deepEqual(seen, []);
  return { there, here };
}

describe("a mesh over TLS", () => {
  for (const [name, tls] of [
    ["server certificates", with_(own)],
    ["mutual", mutual()],
    ["a shared name", mutual(nameOnly, { serverName: SHARED_NAME })],
  ] as const) {
    it(`joins, calls and leaves: ${name}`, async (t) => {
      const [a, b] = await startMembers(t, { tls }, { tls, services: [greeting] }, { tls });
      assert.ok(a!.cut.members.every((member) => member.tls));
      const { text } = await client(a!, Greeter).hello({ name: "Ada" });
      assert.equal(text, tls.clientAuth ? `Ada, ${tls.serverName ? "b" : "a member"}` : "Ada, undefined");
      assert.equal(await b!.leave(), true);
      await a!.waitFor((cut) => cut.members.length === 2, PATIENCE);
    });
  }

  it("has members in plaintext beside it, where no certificates are demanded", async (t) => {
    const a = await startMesh(t, { tls: with_(own) });
    const plain = { ca: authority.pem, plaintext: true };
    const b = await startMesh(t, { tls: plain, seeds: [`tls://${a.localAddress}`], services: [greeting] });
    await a.waitFor((cut) => cut.members.length === 2, PATIENCE);
    assert.deepEqual(
      b.cut.members.map(({ tls, address }) => tls === (address === a.localAddress)),
      [true, true],
    );
    assert.equal((await client(a, Greeter).hello({ name: "Ada" })).text, "Ada, undefined");
  });

  it("speaks IPv6", async (t) => {
    const a = await startMesh(t, { listen: "[::1]:0", tls: mutual() });
    const b = await startMesh(t, { listen: "[::1]:0", tls: mutual(), seeds: [a.localAddress] });
    assert.equal(b.cut.members.length, 2);
  });
});

describe("a stranger", () => {
  const cases: readonly (readonly [string, () => Promise<MeshOptions>, RegExp, RegExp])[] = [
    [
      "with no certificate",
      async () => ({ tls: { ca: authority.pem, plaintext: true }, seeds: [] }),
      /refused 127\.0\.0\.1: a certificate is demanded of callers, and none was shown/,
      /a certificate is demanded of callers, and none was shown/,
    ],
    [
      "of another authority",
      async () => ({
        tls: mutual(await other.issue({ name: "stranger" }), { ca: `${authority.pem}\n${other.pem}` }),
      }),
      /refused 127.*"stranger".*its issuer "another authority" is none of the authorities in tls\.ca/,
      /"stranger".*its issuer "another authority" is none of the authorities in tls\.ca/,
    ],
    [
      "that trusts another authority",
      async () => ({ tls: mutual(await other.issue({ name: "stranger" }), { ca: other.pem }) }),
      /refused 127.*"stranger".*its issuer "another authority"/,
      /TLS to 127\.0\.0\.1:\d+: certificate "a member".*its issuer "mesh authority" is none of the authorities/,
    ],
    [
      "whose certificate is for servers only",
      async () => ({ tls: mutual(await authority.issue({ name: "server", usages: ["serverAuth"] })) }),
      /"server".*not for this use \(extended key usage\)/,
      /"server".*not for this use \(extended key usage\)/,
    ],
    [
      "in plaintext",
      async () => ({}),
      /refused 127\.0\.0\.1: it does not speak TLS/,
      /cannot join yet.*127\.0\.0\.1:\d+: it hung up at once; does it speak TLS, and we not\?/,
    ],
    [
      "with a certificate, but reached in plaintext",
      async () => ({ tls: { ...own, ca: authority.pem, plaintext: true }, seeds: [] }),
      /this mesh takes members with TLS only/,
      /this mesh takes members with TLS only/,
    ],
  ];
  for (const [name, options, there, here] of cases) {
    it(`${name} is refused, both sides say why, and no view shows it`, async (t) => {
      const { logger, heard } = listening();
      const founder = await startMesh(t, { tls: mutual(), logger });
      const given = await options();
      const seeds = given.seeds === undefined ? {} : { seeds: [`tls://${founder.localAddress}`] };
      const told = await refusedStranger(founder, heard(there), { ...given, ...seeds }, here);
      t.diagnostic(`there: ${told.there}`);
      t.diagnostic(`here: ${told.here}`);
    });
  }

  it("is told by a member in plaintext that it speaks no TLS", async (t) => {
    const founder = await startMesh(t);
    const here = /127\.0\.0\.1:\d+: it does not speak TLS/;
    await refusedStranger(founder, Promise.resolve(""), { tls: mutual() }, here);
  });

  it("finds the certificate of a member wrong that is for another address", async (t) => {
    const shared = mutual(await authority.issue({ name: "elsewhere", ips: ["10.9.9.9"] }), {
      serverName: SHARED_NAME,
    });
    const founder = await startMesh(t, { tls: shared });
    const here = /"elsewhere".*127\.0\.0\.1 is not among its subject alternative names.*IP:10\.9\.9\.9/;
    await refusedStranger(founder, Promise.resolve(""), { tls: mutual() }, here);
  });

  it("can call nothing, whatever it says", async (t) => {
    const mesh = await startMesh(t, { tls: mutual(), services: [greeting] });
    const channel = credentials.createSsl(Buffer.from(authority.pem));
    const caller = new Client(mesh.localAddress, channel, { "grpc.ssl_target_name_override": SHARED_NAME });
    t.after(() => caller.close());
    for (const path of ["/demo.Greeter/Hello", "/blip.Membership/Probe", "/blip.ext.v1.Peer/Sync"]) {
      const error = await new Promise<ServiceError | null>((resolve) => {
        const same = (bytes: Buffer): Buffer => bytes;
        caller.makeUnaryRequest(
          path,
          same,
          same,
          Buffer.alloc(0),
          { deadline: Date.now() + 10_000 },
          resolve,
        );
      });
      assert.equal(error?.code, status.UNAUTHENTICATED, `${path}: ${error?.message}`);
      assert.match(error!.details, /a certificate is demanded of callers, and none was shown/);
    }
  });
});

describe("the decision of the user", () => {
  it("says who may join and who may call what", async (t) => {
    const asked: [Caller, Wish][] = [];
    const authorize: Authorize = (caller, wish) => {
      asked.push([caller, wish]);
      if (wish.kind === "call") return wish.method !== "Count" || "counting is not for you";
      return caller.certificate.subjectAltNames.includes("URI:spiffe://mesh/member") || "members only";
    };
    const member = await authority.issue({ name: "m", uris: ["spiffe://mesh/member"] });
    const { logger, heard } = listening();
    const founder = await startMesh(t, { tls: mutual(member, { authorize }), services: [greeting], logger });
    const refusal = /refused 127.*"a member" may not take part in the mesh: members only/;
    await refusedStranger(
      founder,
      heard(refusal),
      { tls: mutual() },
      /may not take part in the mesh: members only/,
    );

    const b = await startMesh(t, {
      tls: mutual(member),
      seeds: [founder.localAddress],
      metadata: { role: "web" },
    });
    const join = asked.find(([, wish]) => wish.kind === "join")!;
    assert.equal(join[0].certificate.name, "m");
    assert.ok(join[1].kind === "join" && join[1].address === b.localAddress);
    assert.equal(Buffer.from(join[1].metadata.role!).toString(), "web");

    const greeter = client(b, Greeter);
    assert.equal((await greeter.hello({ name: "Ada" })).text, "Ada, m");
    await assert.rejects(
      async () => {
        for await (const _ of greeter.count({ count: 1 })) assert.fail("it was not allowed");
      },
      { code: "BLIP_CALL_FAILED", status: status.PERMISSION_DENIED, message: /counting is not for you/ },
    );
  });

  it("that fails is a no", async (t) => {
    const authorize = (): boolean => {
      throw new Error("secret");
    };
    const { logger, heard } = listening();
    const founder = await startMesh(t, { tls: mutual(own, { authorize }), logger });
    const told = /may not take part in the mesh: the decision failed/;
    const { here } = await refusedStranger(founder, heard(told), { tls: mutual() }, told);
    assert.doesNotMatch(here, /secret/);
  });
});

describe("certificates that are replaced", () => {
  it("are shown and trusted from then on, without a restart", async (t) => {
    const [a, b] = await startMembers(
      t,
      { tls: mutual(), services: [greeting] },
      { tls: mutual(), services: [greeting] },
    );
    const calls = client(b!, Greeter);
    // Both authorities for a while, then the new one alone.
    const both = `${authority.pem}\n${other.pem}`;
    const fresh = await other.issue({ name: "fresh" });
    for (const mesh of [a!, b!]) mesh.replaceCertificates({ ca: both });
    for (const mesh of [a!, b!]) mesh.replaceCertificates(fresh);
    for (const mesh of [a!, b!]) mesh.replaceCertificates({ ca: other.pem });
    const c = await startMesh(t, {
      tls: { ...fresh, ca: other.pem, clientAuth: true },
      seeds: [a!.localAddress],
    });
    assert.equal(c.cut.members.length, 3);
    assert.equal((await client(c, Greeter).hello({ name: "Ada" })).text, "Ada, fresh");
    assert.match((await calls.hello({ name: "Bob" })).text, /^Bob, /);
  });

  it("stay as they were where the new ones cannot be used", async (t) => {
    const a = await startMesh(t, { tls: mutual() });
    const expired = await authority.issue({ name: "old", untilMs: -1000 });
    const stranger = await authority.issue({ name: "elsewhere", ips: ["10.9.9.9"] });
    for (const [given, field, message] of [
      [expired, "tls.cert", /"old".*expired on/],
      [stranger, "tls.cert", /127\.0\.0\.1 is not among its subject alternative names/],
      [{ cert: stranger.cert }, "tls.key", /not that of certificate "elsewhere"/],
      [{ ca: own.cert }, "tls.ca", /"a member".*may not issue/],
      [{ passphrase: "x" } as object, "tls.passphrase", /one of cert, key, ca/],
    ] as const) {
      assert.throws(() => a.replaceCertificates(given), { code: "BLIP_INVALID_OPTIONS", field, message });
    }
    const b = await startMesh(t, { tls: mutual(), seeds: [a.localAddress] });
    assert.equal(b.cut.members.length, 2);
    const plain = await startMesh(t);
    assert.throws(() => plain.replaceCertificates(own), { code: "BLIP_INVALID_OPTIONS" });
  });
});

describe("options of TLS", () => {
  it("that cannot work are refused with what is wrong with which", async () => {
    const late = await authority.issue({ name: "late", untilMs: -60_000 });
    const early = await authority.issue({ name: "early", fromMs: 60_000 });
    const elsewhere = await authority.issue({ name: "elsewhere", ips: ["10.9.9.9"] });
    const unnamed = await authority.issue({ name: "unnamed", dns: [] });
    const cases: readonly (readonly [unknown, string, RegExp])[] = [
      [7, "tls", /an object/],
      [{}, "tls.cert", /a certificate in PEM, or plaintext: true/],
      [{ cert: own.cert }, "tls.key", /the private key of tls\.cert/],
      [{ key: own.key, plaintext: true }, "tls.cert", /the certificate that belongs to tls\.key/],
      [with_({ ...own, cert: "/etc/member.pem" }), "tls.cert", /PEM .*not the name of a file/],
      [with_({ ...own, cert: own.key }), "tls.cert", /BEGIN CERTIFICATE/],
      [with_({ ...own, cert: own.cert.replace(/\n.{9}/, "\nAAAAAAAAA") }), "tls.cert", /can be read/],
      [with_({ ...own, key: own.cert }), "tls.key", /a private key in PEM/],
      [with_({ ...own, key: late.key }), "tls.key", /not that of certificate "a member"/],
      [with_(late), "tls.cert", /certificate "late" \(serial \w+\) expired on 20/],
      [with_(early), "tls.cert", /certificate "early" \(serial \w+\) is not valid before 20/],
      [
        with_(elsewhere),
        "tls.cert",
        /127\.0\.0\.1:\d+.*"elsewhere".*it has IP:10\.9\.9\.9, DNS:members\.test/,
      ],
      [with_(unnamed, { serverName: SHARED_NAME }), "tls.cert", /members\.test is not among/],
      [{ ...own, ca: late.cert }, "tls.ca", /"late".*may not issue/],
      [{ ...own, clientAuth: true }, "tls.ca", /clientAuth needs it/],
      [with_(own, { authorize: () => true }), "tls.authorize", /clientAuth: true beside it/],
      [mutual(own, { plaintext: true }), "tls.clientAuth", /plaintext/],
      [with_(own, { serverName: "127.0.0.1" }), "tls.serverName", /a DNS name/],
      [{ ...with_(own), rejectUnauthorized: false }, "tls.rejectUnauthorized", /one of cert, key/],
    ];
    for (const [tls, field, message] of cases) {
      const options = { listen: LOOPBACK, tls: tls as TlsOptions };
      await assert.rejects(createMesh(options), { code: "BLIP_INVALID_OPTIONS", field, message });
    }
  });

  it("that others will not like are doubted aloud", async (t) => {
    const { logger, heard } = listening();
    await startMesh(t, { tls: { ...own, ca: other.pem }, logger });
    assert.match(await heard(/tls\.cert/), /"a member".*issued by "mesh authority", which is not in tls\.ca/);
  });
});

describe("the name of a mesh", () => {
  it("keeps meshes apart", async (t) => {
    for (const [there, here] of [
      ["blue", "green"],
      ["blue", undefined],
      [undefined, "green"],
    ] as const) {
      const named = (meshName: string | undefined): MeshOptions =>
        meshName === undefined ? {} : { meshName };
      const { logger, heard } = listening();
      const founder = await startMesh(t, { ...named(there), logger });
      const told = heard(/refused 127\.0\.0\.1:\d+: this mesh is/);
      await refusedStranger(founder, told, named(here), /cannot join yet.*this mesh is/);
      const b = await startMesh(t, { ...named(there), seeds: [founder.localAddress] });
      assert.equal(b.cut.members[0]!.text("blip.mesh"), there);
    }
  });

  it("is printable", async () => {
    for (const meshName of ["", "two words", "ü", "x".repeat(65), 7 as unknown as string]) {
      await assert.rejects(createMesh({ listen: LOOPBACK, meshName }), {
        code: "BLIP_INVALID_OPTIONS",
        field: "meshName",
      });
    }
  });
});
