/**
 * A founder that is killed and started again at its address, without seeds, as a supervisor does. It must not found a
 * second mesh (PITFALLS B5). Node members only: to the crate this happens, silently.
 */
import { type TestContext, test } from "node:test";
import { agree, freeAddresses, listsJust, MemberProcess } from "../../test/member-process.ts";
import { chosen } from "../mixed-mesh.ts";

const BOOT_MS = 60_000;
const REUNION_MS = 60_000;

for (const joiners of [0, 2]) {
  const meanwhile = joiners === 0 ? "" : `, and ${joiners} join through it meanwhile`;
  for (const title of chosen(`founder: killed and started again at its address${meanwhile}, is one mesh`)) {
    test(title, { timeout: BOOT_MS + REUNION_MS }, (t) => restart(t, joiners));
  }
}

async function restart(t: TestContext, joiners: number): Promise<void> {
  const members: MemberProcess[] = [];
  t.after(() => Promise.all(members.map((member) => member.stop())));
  const addresses = await freeAddresses(5 + joiners);
  const founderAddress = addresses[0]!;
  const start = (listen: string): MemberProcess => {
    const seeds = listen === founderAddress ? [] : [founderAddress];
    const member = new MemberProcess("node", { listen, seeds });
    members.push(member);
    return member;
  };
  const allOf = (some: readonly MemberProcess[], timeoutMs: number, what: string) => {
    const listed = some.map(({ address }) => address);
    return agree(some, (cut) => listsJust(cut, listed), { timeoutMs, what });
  };
  const first = addresses.slice(0, 5).map(start);
  await allOf(first, BOOT_MS, "the five to agree");

  await first[0]!.stop();
  const startedMs = performance.now();
  const later = [founderAddress, ...addresses.slice(5)].map(start);
  const { reachedMs } = await allOf([...first.slice(1), ...later], REUNION_MS, "all to be one mesh");
  t.diagnostic(`one mesh of ${4 + later.length} after ${((reachedMs - startedMs) / 1000).toFixed(1)} s`);
}
