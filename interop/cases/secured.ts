import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority, SHARED_NAME } from "../../test/certificates.ts";
import { type FlagsOf, mixedTest, standard } from "../mixed-mesh.ts";

const folder = mkdtempSync(join(tmpdir(), "blip-interop-"));
process.once("exit", () => rmSync(folder, { recursive: true }));

// The TLS library below the crate can check no IPs, so all certificates have a DNS name in common.
const certificates = await filesOf(await Authority.create("mesh authority"), "member");
const strange = await filesOf(await Authority.create("another authority"), "stranger");

const byTls: FlagsOf = () => certificates;
const mutual: FlagsOf = () => [...certificates, "--mutual"];

for (const [name, flagsOf] of [
  ["TLS", byTls],
  ["mutual TLS", mutual],
] as const) {
  for (const kind of ["node", "rust"] as const) {
    const founder = kind === "node" ? "Node" : "Rust";
    mixedTest(
      `${name}, 3 + 2, ${founder} seed, SIGKILL of one and a restart`,
      standard,
      async (mesh) => {
        const { founder: seed, node, rust } = await mesh.boot(kind, { node: 2, rust: 2 });
        const dead = kind === "node" ? rust[0]! : node[0]!;
        mesh.remove("SIGKILL", dead);
        await mesh.agreement("the other four agree");
        await dead.exited;
        mesh.restart(dead, seed, { revision: "2" });
        await mesh.agreement("all five agree again");
      },
      flagsOf,
    );
  }
}

for (const kind of ["node", "rust"] as const) {
  for (const seedKind of ["node", "rust"] as const) {
    mixedTest(
      `mutual TLS, a ${kind} stranger at a ${seedKind} member`,
      standard,
      async (mesh) => {
        const { node, rust } = await mesh.boot("node", { node: 1, rust: 1 });
        const seed = (seedKind === "node" ? node : rust)[0]!;
        const stranger = await mesh.stranger(kind, seed, [...strange, "--mutual"]);
        const bound = { timeoutMs: 30_000, what: "the stranger to say that it is not let in" };
        mesh.tell(
          `the stranger: ${await stranger.untilLogged(/certificate|cannot join|join.*(fail|error)|error/i, bound)}`,
        );
        if (seedKind === "node") {
          const what = "the member to say whom it refused";
          mesh.tell(
            `the member: ${await seed.untilLogged(/refused 127\.0\.0\.1/, { timeoutMs: 30_000, what })}`,
          );
        }
        await mesh.join({ node: 1, rust: 0 }, seed);
        await mesh.agreement("the members agree without the stranger");
      },
      mutual,
    );
  }
}

mixedTest("a Node member of a mesh with a name leaves Rust members without", standard, async (mesh) => {
  const { founder } = await mesh.boot("rust", { node: 0, rust: 2 });
  const stranger = await mesh.stranger("node", founder, ["--mesh-name", "blue"]);
  const status = await stranger.untilExit({ timeoutMs: 30_000, what: "the stranger to give up" });
  assert.deepEqual(status, { code: 1, signal: null });
  assert.match(stranger.log.join("\n"), /meshName: \S+ is of the mesh none, not "blue"/);
});

async function filesOf(authority: Authority, name: string): Promise<readonly string[]> {
  const { cert, key } = await authority.issue({ name });
  const files = { cert, key, ca: authority.pem };
  const flags: string[] = [];
  for (const [part, text] of Object.entries(files)) {
    const path = join(folder, `${name}-${part}.pem`);
    writeFileSync(path, text);
    flags.push(`--tls-${part}`, path);
  }
  return [...flags, "--tls-name", SHARED_NAME];
}
