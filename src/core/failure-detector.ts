// Which of our subjects have failed. Probes find out, of whatever kind the subject is. Where all members are Node, a
// crash is found out sooner: by connections that are refused, or by another process that answers at the subject's
// address. Only there, since Rust observers know nothing of this: reports that they do not share would leave the
// subject half-reported, and hold up every view change until their own probes have failed (PITFALLS B9b).

import { CrashCheck } from "./crash-check.ts";
import type { Found, Millis } from "./doorway.ts";
import { EdgeMonitor } from "./edge-monitor.ts";
import type { Endpoint, NodeId } from "./endpoint.ts";
import { ack, type ConfigurationId, type Edge, type Reply, uuidIn } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";
import { refuse } from "./refusals.ts";
import type { Settings } from "./settings.ts";
import type { View } from "./view.ts";

/** A machine that is short of CPU is so for a while, and everybody knows after the first time. */
const SAY_AGAIN_MS = 60_000;

/** A probe whose answer we wait for. */
export interface ProbeCall {
  readonly kind: "probe";
  readonly subject: Endpoint;
}

/** What came out about a subject. */
export interface Verdict {
  readonly subject: Endpoint;
  readonly isWell: boolean;
  readonly report: readonly Edge[];
}

/** How it speaks. */
interface Voice extends Pick<Outgoing<ProbeCall>, "add" | "call"> {
  cancelThose(
    isOver: (purpose: ProbeCall | { readonly kind: string; readonly subject?: never }) => boolean,
  ): void;
}

export class FailureDetector {
  readonly #monitor: EdgeMonitor;
  readonly #crashes: CrashCheck;
  readonly #out: Voice;
  #view: View | undefined;
  #saysAgainAt: Millis = -Infinity;

  constructor(self: Endpoint, settings: Settings, out: Voice) {
    this.#monitor = new EdgeMonitor(self, settings);
    this.#crashes = new CrashCheck(settings);
    this.#out = out;
  }

  get wakeAt(): Millis {
    return Math.min(this.#monitor.wakeAt, this.#crashes.wakeAt);
  }

  /** Watches the subjects that this view gives us; none where there is no view. */
  follow(view: View | undefined, now: Millis): void {
    this.#view = view;
    this.#monitor.follow(view, now);
    // One that was our subject may be so again soon, and has to be answered for anew.
    this.#out.cancelThose(({ subject }) => subject !== undefined && !this.#monitor.watches(subject));
    this.#crashes.follow((node) => this.#mayHaveCrashed(node), now);
  }

  /** To be called first in every step. */
  pulse(now: Millis): void {
    const lateMs = this.#monitor.pulse(now);
    if (lateMs === undefined || now < this.#saysAgainAt) return;
    this.#saysAgainAt = now + SAY_AGAIN_MS;
    const text = `this process stood still for ${Math.round(lateMs)} ms: others are given more time to answer`;
    this.#out.add({ kind: "note", level: "warn", text });
  }

  /** Asks whom it is time to ask. */
  wake(now: Millis): void {
    for (const subject of this.#monitor.due(now)) {
      const patienceMs = this.#monitor.patienceMs(subject, now);
      this.#out.call({ kind: "probe", subject }, subject, { kind: "probe" }, patienceMs);
    }
    for (const at of this.#crashes.due(now)) this.#out.add({ kind: "dial", at });
  }

  probed(subject: Endpoint, reply: Reply, now: Millis): Verdict {
    const isWell = reply.kind === "ack";
    const uuid = uuidIn(reply);
    const isLate = reply.kind === "refused" && reply.code === "deadline_exceeded";
    // Also a connection that was lost, or did not come about in time, may say more about us than about the subject.
    // Where it was refused, or the subject says so itself, the doubt costs little: it grows with our own lag alone.
    const isSilent =
      isLate || (reply.kind === "refused" && reply.code === "unavailable" && uuid === undefined);
    const report = this.#monitor.answered(subject, isWell ? "healthy" : isSilent ? "silent" : "refused", now);
    if (uuid !== undefined && this.#mayHaveCrashed(subject) && !this.#view!.hasAs(subject, uuid)) {
      return { subject, isWell: false, report: this.#monitor.report(subject) };
    }
    if (!isWell && !isLate && uuid === undefined) this.doubt(subject, now);
    return { subject, isWell, report };
  }

  /** There is a reason to look whether this subject has crashed; whether it is one of ours is looked at here. */
  doubt(node: Endpoint, now: Millis): void {
    if (this.#mayHaveCrashed(node)) this.#crashes.doubt(node, now);
  }

  dialled(subject: Endpoint, found: Found, now: Millis): Verdict | undefined {
    const finding = this.#crashes.dialled(subject, found, now);
    if (finding === "alive") this.#monitor.ask(subject);
    if (found !== "refused" || !this.#monitor.watches(subject)) return undefined;
    return { subject, isWell: false, report: finding === "crashed" ? this.#monitor.report(subject) : [] };
  }

  #mayHaveCrashed(node: Endpoint): boolean {
    return this.#view?.isAllNode === true && this.#monitor.watches(node);
  }
}

/** The other end: what a member answers that is probed itself. Without a uuid while it never was on its way in. */
export function probeReply(
  isWell: boolean,
  uuid: NodeId | undefined,
  configuration: ConfigurationId | undefined,
): Reply {
  const reply = isWell ? ack : refuse.degraded;
  return {
    ...reply,
    ...(uuid !== undefined && { uuid }),
    ...(configuration !== undefined && { configuration }),
  };
}
