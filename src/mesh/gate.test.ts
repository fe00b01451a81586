// Who may give an operator's orders: whoever is on the member's own machine, and a certificate that is let do it.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import type { TLSSocket } from "node:tls";
import { Authority } from "../../test/certificates.ts";
import { type Authorize, Callers } from "./caller.ts";
import { gateOf } from "./gate.ts";

const authority = await Authority.create("mesh authority");
const operator = new X509Certificate((await authority.issue({ name: "operator" })).cert);
const member = new X509Certificate((await authority.issue({ name: "member" })).cert);

function gate(authorize?: Authorize) {
  const told: string[] = [];
  const callers = authorize && new Callers(authorize);
  const connect = (remoteAddress: string, remotePort: number, certificate: X509Certificate): void => {
    const socket = { remoteAddress, remotePort, getPeerX509Certificate: () => certificate };
    callers?.add(Object.assign(new EventEmitter(), socket) as unknown as TLSSocket);
  };
  const options = { meshName: undefined, needsTls: false, callers };
  return { ...gateOf({ ...options, told: (who, why) => void told.push(`${who}: ${why}`) }), told, connect };
}

describe("an operator's orders", () => {
  it("are taken from the member's own machine", () => {
    const { operator: judge } = gate();
    for (const peer of ["127.0.0.1:5000", "127.9.9.9:1", "::1:5000", "[::1]:5000", "::ffff:127.0.0.1:5000"]) {
      assert.equal(judge(peer, "declareDead"), undefined, peer);
    }
    for (const peer of ["10.0.0.1:5000", "128.0.0.1:127", "2001:db8::1:5000", "unknown", "10.127.0.1:1"]) {
      const refusal = judge(peer, "forceNew");
      assert.equal(refusal?.code, "permission_denied", peer);
      assert.match(refusal!.why, /forceNew is taken from the member's own machine only/);
    }
  });

  it("are taken from elsewhere where the certificate may give them", () => {
    const wishes: unknown[] = [];
    const {
      operator: judge,
      told,
      connect,
    } = gate((caller, wish) => {
      wishes.push(wish);
      return caller.certificate.name === "operator" || "operators only";
    });
    connect("10.0.0.1", 5000, operator);
    connect("10.0.0.2", 5000, member);
    assert.equal(judge("10.0.0.1:5000", "declareDead"), undefined);
    assert.deepEqual(wishes, [{ kind: "operate", order: "declareDead" }]);
    const refusal = judge("10.0.0.2:5000", "declareDead");
    assert.equal(refusal?.why, '"member" may not order declareDead: operators only');
    assert.deepEqual(told, ['10.0.0.2:5000: "member" may not order declareDead: operators only']);
    assert.equal(judge("10.0.0.3:5000", "declareDead")?.code, "permission_denied");
  });
});
