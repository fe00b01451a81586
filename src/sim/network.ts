// The network between processes: takes messages from one to the other, late, twice, out of order or not at all. A
// process that is gone from a host that is there refuses calls at once; a host that is gone, or a process that stands
// still, keeps its callers waiting until their own deadline.

import type { Found, Millis } from "../core/doorway.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Refused, Reply, Request } from "../core/messages.ts";
import { refused } from "../core/refusals.ts";
import type { Agenda, Task } from "./agenda.ts";
import { asReceived } from "./as-received.ts";
import { Call, type Letter, Mail } from "./call.ts";
import { KnownCopies, type Spread } from "./known-copies.ts";
import { Links } from "./links.ts";
import { type Place, Places } from "./places.ts";
import type { Host, Process } from "./process.ts";
import type { Stream, Streams } from "./streams.ts";

/** No process listens at the address, says its host. */
export const CONNECTION_REFUSED: Refused = refused("unavailable", "connection refused");
/** The process that was asked went down before it answered. */
export const CONNECTION_RESET: Refused = refused("unavailable", "connection reset");
/** How long an attempt to connect takes that nobody answers. */
const DIAL_TIMEOUT_MS = 500;
const DEADLINE: Refused = refused("deadline_exceeded", "deadline exceeded");

/** What becomes of a letter: it takes its course, is lost, is kept until `release`, or takes exactly this long. */
export type Fate = "pass" | "drop" | "hold" | { readonly delayMs: Millis };

/** Passes messages through bytes. */
export interface Wire {
  request(request: Request): Request | Refused;
  reply(request: Request, reply: Reply): Reply;
}

/** The weather of all links. All shares are from 0 to 1. */
export interface Conditions {
  /** One way, drawn anew for each message, so that messages overtake each other. */
  latencyMs: readonly [least: Millis, most: Millis];
  /** The share of messages that is lost, drawn for requests and answers alike. */
  loss: number;
  /** The share of messages that arrives a second time. */
  duplication: number;
  /** The share of messages that takes much longer, up to `straggleMs`. */
  straggling: number;
  straggleMs: Millis;
}

export const CALM: Conditions = {
  latencyMs: [1, 5],
  loss: 0,
  duplication: 0,
  straggling: 0,
  straggleMs: 0,
};

export interface NetworkOptions {
  readonly wire?: Wire | undefined;
  /** Drops copies of a broadcast to those who have been given one. */
  readonly dropsKnownCopies?: boolean | undefined;
  /** What times on the way are multiples of: 1/16 by default. With 1, much is due at once, and is quicker to go through. */
  readonly latencyStepMs?: Millis | undefined;
}

/** What makes meshes of a thousand members quick to simulate. */
export const LARGE_MESH: NetworkOptions = { dropsKnownCopies: true, latencyStepMs: 1 };

export class Network {
  readonly conditions: Conditions = { ...CALM };
  /** Which links are cut, and which lose more than the others. */
  readonly links: Links;
  /** Who takes no new connections, though its process runs. */
  readonly refusing: Set<Endpoint> = new Set();
  /** Messages that were sent, answers not counted. */
  messages = 0;
  /** Has the last word about each letter; a scenario or a search may put its own here. */
  fateOf: ((letter: Letter) => Fate) | undefined;
  /** The same for the answer to a letter. */
  fateOfReply: ((letter: Letter, reply: Reply) => Fate) | undefined;
  readonly #agenda: Agenda;
  readonly #hosts: ReadonlyMap<Endpoint, Host>;
  readonly #places: Places;
  readonly #wire: Wire | undefined;
  readonly #known: KnownCopies | undefined;
  readonly #latency: Stream;
  readonly #latencyStepMs: Millis;
  readonly #duplication: Stream;
  readonly #straggling: Stream;
  readonly #held: (() => void)[] = [];
  /** What was handed over last: whoever hears something new tells it on. */
  #arriving: Mail | undefined;
  #token = 0;

  constructor(agenda: Agenda, hosts: ReadonlyMap<Endpoint, Host>, streams: Streams, options: NetworkOptions) {
    this.#agenda = agenda;
    this.#hosts = hosts;
    this.#places = new Places(hosts);
    this.#wire = options.wire;
    this.#known = options.dropsKnownCopies ? new KnownCopies(this.#places) : undefined;
    this.#latency = streams.of("network latency");
    this.#latencyStepMs = options.latencyStepMs ?? 1 / 16;
    this.links = new Links(streams.of("network loss"), this.conditions);
    this.#duplication = streams.of("network duplication");
    this.#straggling = streams.of("network straggling");
  }

  /** Every link works again, and works well. */
  heal(): void {
    Object.assign(this.conditions, CALM);
    this.links.clear();
  }

  /** Lets go what was held, in the order in which it was sent. */
  release(): void {
    for (const send of this.#held.splice(0)) send();
  }

  send(from: Process, to: readonly Endpoint[], request: Request): void {
    const arriving = this.#arriving;
    const isToldOn = arriving?.request === request;
    const spread = isToldOn ? arriving.spread : this.#known?.of(request, from.endpoint);
    let mail: Mail | undefined;
    for (const place of this.#places.of(to)) {
      if (spread !== undefined && place.known.has(spread.number)) continue;
      mail ??= spread === undefined ? this.#mail(request) : this.#mailOf(spread, request);
      this.#post(from, mail, place);
    }
  }

  call(
    from: Process,
    to: Endpoint,
    request: Request,
    timeoutMs: Millis,
    answered: (reply: Reply) => void,
  ): () => void {
    const call = new Call({ from, to, request }, answered);
    call.timeout = this.#at(from, this.#agenda.now + timeoutMs, true, () => {
      call.hangUp();
      answered(DEADLINE);
    });
    const spread = this.#known?.of(request, from.endpoint);
    this.#post(from, this.#mail(request, call, spread), this.#places.at(to));
    return () => call.hangUp();
  }

  reply(from: Process, token: number, reply: Reply): void {
    const call = from.waiting.get(token);
    if (call === undefined) return;
    from.waiting.delete(token);
    const { letter } = call;
    if (letter.request.kind === "probe") from.probedBy.add(letter.from);
    if (!call.isOpen || !from.host.isUp || this.links.isLost(from.endpoint, letter.from.endpoint)) return;
    const fate = this.fateOfReply?.(letter, reply) ?? "pass";
    if (fate === "drop") return;
    const received = this.#wire?.reply(letter.request, reply) ?? asReceived(reply);
    if (fate === "hold") this.#held.push(() => this.#answer(call, received));
    else this.#answer(call, received, fate === "pass" ? undefined : fate.delayMs);
  }

  /** An attempt to connect, which a host answers for its process, also for one that stands still. */
  dial(from: Process, to: Endpoint, dialled: (found: Found) => void): void {
    const host = this.#hosts.get(to);
    const isLost = this.links.isLost(from.endpoint, to) || this.links.isLost(to, from.endpoint);
    const isSilent = isLost || !from.host.isUp || host?.isUp === false;
    const found = isSilent
      ? "unknown"
      : host?.process?.isUp && !this.refusing.has(to)
        ? "accepted"
        : "refused";
    const delayMs = isSilent ? DIAL_TIMEOUT_MS : this.#delay() + this.#delay();
    this.#at(from, this.#agenda.now + delayMs, false, () => dialled(found));
  }

  /** The connections over which it was probed break: those who hear of it are told. */
  disconnect(process: Process): void {
    const observers = [...process.probedBy];
    process.probedBy.clear();
    if (!process.host.isUp) return;
    const { endpoint } = process;
    for (const observer of observers) {
      if (!observer.isUp || this.links.isLost(endpoint, observer.endpoint)) continue;
      const tell = (): void => observer.feed({ kind: "disconnected", peer: endpoint });
      this.#at(observer, this.#agenda.now + this.#delay(), false, tell);
    }
  }

  /** This process is gone: whoever waits for its answer learns that, where there still is a host to say so. */
  wentDown(process: Process): void {
    this.disconnect(process);
    const calls = [...process.waiting.values()];
    process.waiting.clear();
    for (const call of calls) this.#refuse(call, process.host, CONNECTION_RESET);
  }

  /** Has it done by a process: not when that is down, and later when it stands still. */
  at(process: Process, due: Millis, run: () => void): Task {
    return this.#at(process, due, true, run);
  }

  #mail(request: Request, call?: Call, spread?: Spread): Mail {
    const received = this.#wire?.request(request) ?? request;
    return new Mail(request, received, call, spread, this.#deliver);
  }

  /** One for all who tell this on in the same words; what passes through bytes is read anew each time. */
  #mailOf(spread: Spread, request: Request): Mail {
    if (this.#wire !== undefined || spread.mail?.request !== request) {
      spread.mail = this.#mail(request, undefined, spread);
    }
    return spread.mail;
  }

  #post(from: Process, mail: Mail, to: Place): void {
    this.messages += 1;
    const { fateOf } = this;
    if (fateOf === undefined) return this.#carry(from, mail, to);
    const fate = fateOf({ from, to: to.endpoint, request: mail.request });
    if (fate === "drop") return;
    if (fate === "hold") this.#held.push(() => this.#carry(from, mail, to));
    else this.#carry(from, mail, to, fate === "pass" ? undefined : fate.delayMs);
  }

  #carry(from: Process, mail: Mail, to: Place, delayMs?: Millis): void {
    if (!from.host.isUp || this.links.isLost(from.endpoint, to.endpoint)) return;
    if (mail.spread !== undefined) to.known.add(mail.spread.number);
    this.#agenda.add(this.#agenda.now + (delayMs ?? this.#delay()), mail, to);
    const { duplication } = this.conditions;
    if (duplication > 0 && this.#duplication.chance(duplication)) {
      this.#agenda.add(this.#agenda.now + this.#delay(), mail, to);
    }
  }

  readonly #deliver = (mail: Mail, to: Place): void => {
    const { received, call } = mail;
    const host = this.#places.hostAt(to);
    const target = host?.process;
    if (target?.isUp !== true) {
      if (call !== undefined) this.#refuse(call, host, CONNECTION_REFUSED);
    } else if (!target.host.isUp) {
      return; // Nobody is there to say anything.
    } else if (target.isFrozen) {
      target.backlog.push({ task: { run: () => this.#deliver(mail, to) }, isTimer: false });
    } else {
      this.#arriving = mail;
      this.#hand(target, received, call);
    }
  };

  #hand(target: Process, request: Request | Refused, call: Call | undefined): void {
    if (request.kind === "refused") {
      if (call !== undefined) this.#answer(call, request);
      return;
    }
    this.#token += 1;
    const token = this.#token;
    if (call?.isOpen) {
      call.waitsAt.push({ process: target, token });
      target.waiting.set(token, call);
    }
    target.feed({ kind: "request", token, request });
  }

  #refuse(call: Call, host: Host | undefined, why: Refused): void {
    if (host?.isUp === false || !call.isOpen) return;
    if (!this.links.isLost(call.letter.to, call.letter.from.endpoint)) this.#answer(call, why);
  }

  #answer(call: Call, reply: Reply, delayMs: Millis = this.#delay()): void {
    this.#at(call.letter.from, this.#agenda.now + delayMs, false, () => call.finish(reply));
  }

  #at(process: Process, due: Millis, isTimer: boolean, run: () => void): Task {
    const task: Task = {
      run: () => {
        if (!process.isUp) return;
        if (process.isFrozen) process.backlog.push({ task, isTimer });
        else run();
      },
    };
    this.#agenda.add(due, task);
    return task;
  }

  #delay(): Millis {
    const { latencyMs, straggling, straggleMs } = this.conditions;
    const [least, most] = latencyMs;
    const steps = this.#latency.below(Math.floor(Math.max(most - least, 0) / this.#latencyStepMs) + 1);
    const usual = least + steps * this.#latencyStepMs;
    if (straggling === 0 || !this.#straggling.chance(straggling)) return usual;
    return usual + this.#straggling.below(straggleMs + 1);
  }
}
