/**
 * One mesh of Node and Rust members, each a process of its own, and the verdict on what happened in it.
 *
 * The crate has bugs that no peer can cure: a Rust member may panic and stay behind for ever, or split from the
 * other Rust members. A test in which that happens says so, and goes on to show that the Node members are right
 * among themselves. It is counted as "todo" by the test runner, neither as passed nor as failed.
 */
import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { type TestContext, test } from "node:test";
import {
  type Agreement,
  agree,
  type Detection,
  freeAddresses,
  listsJust,
  type MemberKind,
  MemberProcess,
  type RecordedCut,
} from "../test/member-process.ts";
import { contradictions, type Recording } from "./cut-history.ts";

type Metadata = Readonly<Record<string, string>>;

/** The crate's default, and ours. */
export const standard: Detection = { faultTimeoutMs: 2000, faultStrikes: 3 };

/** Enough for a Rust joiner that misses a cut and waits out its 5, 7.5 and 11 seconds before it tries again. */
const settleMs = 60_000;

const only = process.env.INTEROP_ONLY ?? "";
const repeat = Number(process.env.INTEROP_REPEAT ?? "1");
let casesChosen = 0;

/** Flags that all members of a mesh get, by their kind. */
export type FlagsOf = (kind: MemberKind) => readonly string[];

/** A test on a mesh of its own; `INTEROP_ONLY` and `INTEROP_REPEAT` choose the cases and how often each runs. */
export function mixedTest(
  name: string,
  detection: Detection,
  body: (mesh: MixedMesh) => Promise<void>,
  flagsOf: FlagsOf = () => [],
): void {
  for (const title of chosen(name)) {
    test(title, { timeout: 5 * 60_000 }, async (t) => {
      const mesh = new MixedMesh(t, detection, flagsOf);
      t.after(() => mesh.stop());
      let failure: unknown;
      try {
        await body(mesh);
      } catch (error) {
        failure = error;
      }
      await mesh.judge(failure);
    });
  }
}

/** The titles under which a case runs: none, one, or as many as it is to be repeated. */
export function chosen(name: string): readonly string[] {
  if (!name.includes(only)) return [];
  casesChosen++;
  if (repeat === 1) return [name];
  return Array.from({ length: repeat }, (_, run) => `${name} (${run + 1} of ${repeat})`);
}

export function assertSomeCaseIsChosen(): void {
  if (casesChosen === 0) throw new Error(`--only "${only}" is in the name of no case`);
}

export type Counts = Readonly<Record<MemberKind, number>>;

/** The founder, and the joiners by their kind. */
export type Booted = Readonly<Record<MemberKind, readonly MemberProcess[]>> & {
  readonly founder: MemberProcess;
};

export class MixedMesh {
  readonly #t: TestContext;
  readonly #detection: Detection;
  readonly #flagsOf: FlagsOf;
  readonly #strangers: MemberProcess[] = [];
  readonly #processes: MemberProcess[] = [];
  readonly #metadata = new Map<MemberProcess, Metadata>();
  /** Those that all others should see. */
  readonly #healthy = new Set<MemberProcess>();
  /** How often the member at an address may rightly be removed: it was killed or frozen, or it left. */
  readonly #removals = new Map<string, number>();
  #startedMs: number;

  constructor(t: TestContext, detection: Detection, flagsOf: FlagsOf) {
    this.#t = t;
    this.#detection = detection;
    this.#flagsOf = flagsOf;
    this.#startedMs = performance.now();
  }

  /** Starts a founder and, all at once, those who join through it, and waits until they agree. */
  async boot(founder: MemberKind, joiners: Counts): Promise<Booted> {
    const [address] = await freeAddresses(1);
    const first = this.#start(founder, address!, [], {});
    const joined = await this.join(joiners, first);
    await this.agreement(`all ${joined.length + 1} agree`);
    return {
      founder: first,
      node: joined.filter(({ kind }) => kind === "node"),
      rust: joined.filter(({ kind }) => kind === "rust"),
    };
  }

  /** Starts members that join all at once, Node and Rust in turn. */
  async join(counts: Counts, via: MemberProcess): Promise<MemberProcess[]> {
    const addresses = await freeAddresses(counts.node + counts.rust);
    const left = { ...counts };
    return addresses.map((address, index) => {
      const turn: MemberKind = index % 2 === 0 ? "node" : "rust";
      const kind: MemberKind = left[turn] > 0 ? turn : turn === "node" ? "rust" : "node";
      left[kind]--;
      return this.#start(kind, address, [via.address], {});
    });
  }

  /** Starts somebody who wants to join, and whom nobody should ever see. */
  async stranger(kind: MemberKind, via: MemberProcess, flags: readonly string[]): Promise<MemberProcess> {
    const [listen] = await freeAddresses(1);
    const stranger = new MemberProcess(kind, { listen: listen!, seeds: [via.address], more: flags });
    this.#strangers.push(stranger);
    return stranger;
  }

  /** Shows something beside the result of the test. */
  tell(text: string): void {
    this.#t.diagnostic(text);
  }

  /** Starts a member of the same kind at the same address, with one more key in its metadata. */
  restart(member: MemberProcess, via: MemberProcess, metadata: Metadata): MemberProcess {
    return this.#start(member.kind, member.address, [via.address], metadata);
  }

  /** Sends each of these a signal after which the others should drop it. */
  remove(signal: "SIGKILL" | "SIGSTOP" | "SIGTERM", ...members: readonly MemberProcess[]): void {
    for (const member of members) {
      this.#healthy.delete(member);
      this.#removals.set(member.address, (this.#removals.get(member.address) ?? 0) + 1);
      member.kill(signal);
    }
    this.#startedMs = performance.now();
  }

  /** Wakes one that was stopped, after which the others should see it again. */
  wake(member: MemberProcess): void {
    this.#healthy.add(member);
    member.kill("SIGCONT");
    this.#startedMs = performance.now();
  }

  /** Settles when all healthy members see just each other; answers how long that took since the last step. */
  async agreement(
    what: string,
    timeoutMs: number = settleMs,
  ): Promise<Agreement & { readonly tookMs: number }> {
    const startedMs = this.#startedMs;
    const members = [...this.#healthy];
    const agreement = await agree(members, (cut) => this.#isRight(cut), { timeoutMs, what }).catch(
      (error) => {
        throw new NoAgreement(error.message);
      },
    );
    const tookMs = agreement.reachedMs - startedMs;
    this.#t.diagnostic(`${what} after ${(tookMs / 1000).toFixed(2)} s, the ${agreement.last} last`);
    return { ...agreement, tookMs };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes, ...this.#strangers].map((member) => member.stop()));
  }

  /** Decides whether the test has passed, failed, or met a fault of the crate that it could not go on with. */
  async judge(failure: unknown): Promise<void> {
    const faults = this.#faultsOfTheCrate();
    for (const fault of faults) this.#t.diagnostic(`a fault of the crate: ${fault}`);
    if (failure !== undefined && !(failure instanceof NoAgreement && faults.length > 0)) throw failure;

    await this.#assertNodesAgree();
    const removals = faults.length > 0 ? this.#wrongRemovals("node") : this.#wrongRemovals("node", "rust");
    this.#assertNoFalseAlarm(removals);
    if (faults.length > 0) {
      this.#t.todo(`a fault of the crate, the Node members stay right: ${faults[0]}`);
      return;
    }
    const history = contradictions(this.#processes.map(recordingOf), { complete: true });
    assert.deepEqual(history, [], "all members must walk along one chain of configurations");
    for (const member of this.#processes) {
      assert.deepEqual(member.stray, [], `the ${member} prints nothing but cuts`);
    }
  }

  #start(kind: MemberKind, address: string, seeds: readonly string[], more: Metadata): MemberProcess {
    const metadata = ownMetadata(kind, more);
    const detection = this.#detection;
    const flags = this.#flagsOf(kind);
    const member = new MemberProcess(kind, { listen: address, seeds, metadata, detection, more: flags });
    this.#processes.push(member);
    this.#metadata.set(member, metadata);
    this.#healthy.add(member);
    this.#startedMs = performance.now();
    return member;
  }

  /** Whether a cut lists the healthy members and no other, each with the metadata that it was given. */
  #isRight(cut: RecordedCut): boolean {
    const addresses = [...this.#healthy].map((member) => member.address);
    if (!listsJust(cut, addresses)) return false;
    const printed = new Map(cut.members.map((member) => [member.address, member.metadata]));
    return [...this.#healthy].every((member) => {
      const given = Object.entries(this.#metadata.get(member) ?? {});
      return given.every(([key, value]) => printed.get(member.address)?.[key] === value);
    });
  }

  /** What Rust members alone are to blame for. */
  #faultsOfTheCrate(): string[] {
    const rust = this.#of("rust");
    const faults = [
      ...rust.flatMap((member) => member.panics.map((panic) => `the ${member} panicked at ${panic}`)),
      ...contradictions(rust.map(recordingOf), { complete: false }),
    ];
    // A joiner that gives up just before it is admitted stays out until the others have struck it out.
    const removals = this.#wrongRemovals("node", "rust");
    for (const member of rust) {
      const removal = removals.find(({ address }) => address === member.address);
      const gaveUp = member.log.some((line) => line.includes("host already exists"));
      if (removal !== undefined && gaveUp) {
        faults.push(`the ${member} was admitted when it had just given up: ${removal.text}`);
      }
    }
    return faults;
  }

  async #assertNodesAgree(): Promise<void> {
    const nodes = this.#of("node");
    assert.deepEqual(contradictions(nodes.map(recordingOf), { complete: false }), []);

    const healthy = nodes.filter((member) => this.#healthy.has(member));
    if (healthy.length === 0) return;
    await agree(healthy, (cut) => healthy.every(({ address }) => lists(cut, address)), {
      timeoutMs: settleMs,
      what: "the Node members to agree among themselves",
    });
  }

  /** With 150 ms and two strikes a member that gets no processor time for a moment is rightly taken for dead. */
  #assertNoFalseAlarm(removals: readonly WrongRemoval[]): void {
    const found = removals.map(({ text }) => text);
    if (this.#detection !== "lowLatency") {
      assert.deepEqual(found, [], "no healthy member is removed");
    }
    for (const text of found) this.#t.diagnostic(`a false alarm: ${text}`);
  }

  /** Removals that members of these kinds printed, of members of these kinds that nothing had happened to. */
  #wrongRemovals(...kinds: readonly MemberKind[]): WrongRemoval[] {
    const concerned = kinds.flatMap((kind) => this.#of(kind));
    const addresses = new Set(concerned.map(({ address }) => address));
    const removals = new Map<string, WrongRemoval>();
    for (const observer of concerned) {
      const allowed = new Map(this.#removals);
      for (const { confId, kicked } of observer.cuts) {
        for (const address of kicked.filter((address) => addresses.has(address))) {
          const left = allowed.get(address) ?? 0;
          allowed.set(address, left - 1);
          const text = `the healthy ${address} was removed in ${confId}, says the ${observer}`;
          if (left <= 0 && !removals.has(address + confId)) removals.set(address + confId, { address, text });
        }
      }
    }
    return [...removals.values()];
  }

  #of(kind: MemberKind): MemberProcess[] {
    return this.#processes.filter((member) => member.kind === kind);
  }
}

interface WrongRemoval {
  readonly address: string;
  readonly text: string;
}

class NoAgreement extends Error {}

/** Text that is not ASCII and that holds an equals sign, so that a slip in either flag parser shows. */
function ownMetadata(kind: MemberKind, more: Metadata): Metadata {
  return { kind, note: "grüße=☃", empty: "", ...more };
}

function lists(cut: RecordedCut, address: string): boolean {
  return cut.members.some((member) => member.address === address);
}

function recordingOf(member: MemberProcess): Recording {
  return { name: String(member), address: member.address, cuts: member.cuts };
}
