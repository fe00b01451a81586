import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { mixedTest, standard } from "../mixed-mesh.ts";

const kinds = ["node", "rust"] as const;
const names = { node: "Node", rust: "Rust" } as const;
const sixMembers = { node: 2, rust: 3 };

for (const kind of kinds) {
  mixedTest(`SIGKILL of a ${names[kind]} member`, standard, async (mesh) => {
    const { founder, [kind]: alike } = await mesh.boot("node", sixMembers);
    mesh.remove("SIGKILL", alike[0]!);
    await mesh.agreement("the other five agree");

    // What is left is a mesh like any other.
    await mesh.join({ node: 1, rust: 1 }, founder);
    await mesh.agreement("the five and two new ones agree");
  });
}

mixedTest("SIGKILL of a Node and a Rust member at once", standard, async (mesh) => {
  const { node, rust } = await mesh.boot("node", sixMembers);
  // Four votes of six are no fast quorum, so that this takes a classic round.
  mesh.remove("SIGKILL", node[0]!, rust[0]!);
  await mesh.agreement("the other four agree");
});

for (const [name, detection] of [
  ["low latency", "lowLatency"],
  ["500 ms x 3", { faultTimeoutMs: 500, faultStrikes: 3 }],
] as const) {
  mixedTest(`${name}, SIGKILL of a Node and then of a Rust member`, detection, async (mesh) => {
    const { node, rust } = await mesh.boot("node", sixMembers);
    mesh.remove("SIGKILL", node[0]!);
    await mesh.agreement("the other five agree");
    mesh.remove("SIGKILL", rust[0]!);
    await mesh.agreement("the other four agree");
  });
}

for (const kind of kinds) {
  mixedTest(`a ${names[kind]} member restarts at its address with other metadata`, standard, async (mesh) => {
    const { founder, [kind]: alike } = await mesh.boot("node", sixMembers);
    const member = alike[0]!;
    mesh.remove("SIGKILL", member);
    await member.exited;
    mesh.restart(member, founder, { revision: "2" });
    await mesh.agreement("all six agree, on its new metadata too");
  });

  mixedTest(`a ${names[kind]} member is frozen for 20 s`, standard, async (mesh) => {
    const { [kind]: alike } = await mesh.boot("node", sixMembers);
    const member = alike[0]!;
    const frozenMs = performance.now();
    mesh.remove("SIGSTOP", member);
    await mesh.agreement("the other five agree");

    // The length of the freeze is what is tested: the others must come to an end with it, and it with them.
    await delay(frozenMs + 20_000 - performance.now());
    mesh.wake(member);
    await mesh.agreement("all six agree again");
  });
}
