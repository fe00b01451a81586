/** A mesh that only those take part in who have a certificate of its authority. */
import assert from "node:assert/strict";
import { client, createMesh, service } from "blip-mesh";
import { Authority } from "../test/certificates.ts";
import { unary } from "./definition.ts";

const Vault = { open: unary<{ box: string }, { content: string }>("/examples.Vault/Open") };

// In real life these come from files; docs/tls.md says how to make some.
const authority = await Authority.create("example authority");
const issue = async (name: string) => ({
  ...(await authority.issue({ name })),
  ca: authority.pem,
  clientAuth: true,
});

const vault = await createMesh({
  listen: "127.0.0.1:0",
  meshName: "bank",
  tls: {
    ...(await issue("vault")),
    authorize: ({ certificate }, wish) =>
      wish.kind !== "call" || certificate.name === "teller" || "tellers only",
  },
  services: [
    service(Vault, { open: (call, answer) => answer(null, { content: `gold of ${call.request.box}` }) }),
  ],
});
const seeds = [vault.localAddress];
const teller = await createMesh({
  listen: "127.0.0.1:0",
  seeds,
  meshName: "bank",
  tls: await issue("teller"),
});
const guest = await createMesh({ listen: "127.0.0.1:0", seeds, meshName: "bank", tls: await issue("guest") });

console.log((await client(teller, Vault).open({ box: "7" })).content);
await assert.rejects(client(guest, Vault).open({ box: "7" }), /tellers only/);
console.log("a guest is refused");

const stranger = createMesh({ listen: "127.0.0.1:0", seeds, signal: AbortSignal.timeout(500) });
await assert.rejects(stranger, { code: "BLIP_ABORTED" });
console.log(`nobody saw the stranger: ${vault.cut.members.length} members`);
for (const mesh of [guest, teller, vault]) await mesh.leave();
