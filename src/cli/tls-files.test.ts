// `blip agent` with certificates in files: as processes, as users run it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Authority, type Issued } from "../../test/certificates.ts";
import { agree, freeAddresses, listsJust, MemberProcess } from "../../test/member-process.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const PATIENCE_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), "blip-tls-"));
after(() => rmSync(folder, { recursive: true }));
const authority = await Authority.create("files");

function flagsFor(name: string, { cert, key }: Issued, ca = authority.pem): readonly string[] {
  return Object.entries({ cert, key, ca }).flatMap(([part, text]) => {
    const path = join(folder, `${name}-${part}.pem`);
    writeFileSync(path, text);
    return [`--tls-${part}`, path];
  });
}

function start(
  t: TestContext,
  listen: string,
  seeds: readonly string[],
  more: readonly string[],
): MemberProcess {
  const member = new MemberProcess("node", { listen, seeds, more });
  t.after(() => member.stop());
  return member;
}

describe("agents over TLS", () => {
  it("form a mesh, tell those who show a certificate, and read renewed files", async (t) => {
    const flags = [
      ...flagsFor("own", await authority.issue({ name: "first" })),
      "--mutual",
      "--mesh-name",
      "blue",
    ];
    const [a, b] = await freeAddresses(2);
    const members = [start(t, a!, [], flags), start(t, b!, [a!], flags)];
    const { cut } = await agree(members, (cut) => listsJust(cut, [a!, b!]), {
      timeoutMs: PATIENCE_MS,
      what: "both to agree",
    });
    assert.ok(cut.members.every(({ tls }) => tls));
    assert.equal(cut.members[0]!.metadata["blip.mesh"], "blue");

    const ask = (words: readonly string[]): string => {
      const { stdout, stderr } = spawnSync(process.execPath, [MAIN, "members", "--at", a!, ...words], {
        encoding: "utf8",
      });
      return stdout + stderr;
    };
    assert.match(ask(flags.slice(0, 6)), new RegExp(`${b!}`));
    assert.match(ask(flags.slice(4, 6)), /a certificate is demanded of callers, and none was shown/);
    assert.match(ask([]), /does it speak TLS, and we not/);

    flagsFor("own", await authority.issue({ name: "elsewhere", ips: ["10.9.9.9"] }));
    const bound = { timeoutMs: PATIENCE_MS, what: "the agent to read its files again" };
    members[0]!.kill("SIGHUP");
    await members[0]!.untilLogged(/the certificates stay as they are: tls\.cert.*"elsewhere"/, bound);
    flagsFor("own", await authority.issue({ name: "second" }));
    members[0]!.kill("SIGHUP");
    await members[0]!.untilLogged(/certificates replaced/, bound);
    // The other one is told by nobody, and finds the files changed.
    await members[1]!.untilLogged(/certificates replaced/, bound);
  });

  it("say which file is wrong and why", async () => {
    const own = await authority.issue({ name: "own" });
    const late = await authority.issue({ name: "late", untilMs: -1000 });
    for (const [flags, message] of [
      [flagsFor("late", late), /^blip: --tls-cert \S+late-cert\.pem: tls\.cert: .*"late".* expired on /],
      [
        flagsFor("mixed", { ...own, key: late.key }),
        /^blip: --tls-key \S+mixed-key\.pem: .*not that of .*"own"/,
      ],
      [flagsFor("leaf", own, own.cert), /^blip: --tls-ca \S+leaf-ca\.pem: .*"own".*may not issue/],
    ] as const) {
      const { status, stderr } = spawnSync(
        process.execPath,
        [MAIN, "agent", "--listen", "127.0.0.1:0", ...flags],
        {
          encoding: "utf8",
        },
      );
      assert.match(stderr, message);
      assert.equal(status, 2);
    }
  });
});
