import { mixedTest, standard } from "../mixed-mesh.ts";

mixedTest("Node seed, Rust joiners", standard, async (mesh) => {
  await mesh.boot("node", { node: 0, rust: 4 });
});

mixedTest("Rust seed, Node joiners", standard, async (mesh) => {
  await mesh.boot("rust", { node: 4, rust: 0 });
});

mixedTest("3 + 3, Node seed", standard, async (mesh) => {
  await mesh.boot("node", { node: 2, rust: 3 });
});

mixedTest("3 + 3, Rust seed", standard, async (mesh) => {
  await mesh.boot("rust", { node: 3, rust: 2 });
});

mixedTest("low latency, 3 + 3", "lowLatency", async (mesh) => {
  await mesh.boot("node", { node: 2, rust: 3 });
});

mixedTest("one after the other", standard, async (mesh) => {
  const { founder } = await mesh.boot("rust", { node: 1, rust: 0 });
  for (const kind of ["rust", "node", "rust", "node"] as const) {
    await mesh.join({ node: 0, rust: 0, [kind]: 1 }, founder);
    await mesh.agreement("one more agrees");
  }
});

// These race with the start of their seed, and so meet at their second or third attempt.
mixedTest("8 joining at once (4 + 4)", standard, async (mesh) => {
  await mesh.boot("node", { node: 4, rust: 4 });
});

for (const kind of ["node", "rust"] as const) {
  mixedTest(
    `8 joining a ${kind === "node" ? "Node" : "Rust"} member that is there`,
    standard,
    async (mesh) => {
      const { founder } = await mesh.boot(kind, { node: 0, rust: 0 });
      await mesh.join({ node: 4, rust: 4 }, founder);
      await mesh.agreement("all 9 agree");
    },
  );
}
