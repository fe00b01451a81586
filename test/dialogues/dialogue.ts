// A dialogue of fake members with one peer, as its script leads it and as the transcript tells it. It goes in beats: fakes
// say something, then everything that the peer says and does until it has come to rest. Within a beat nothing depends on
// the order in which messages happened to arrive.

import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Broadcast, ConfigurationId, Gossip, Reply, Request } from "../../src/core/messages.ts";
import { idOf, Names } from "./names.ts";
import { type Audience, PEER_SETTINGS, type PublishedCut, type Stage } from "./stage.ts";
import { cutIn, replyIn, sentencesOf } from "./words.ts";

export const PEER = "P";

/** A call of a fake member to the peer. */
export interface Call {
  readonly label: string;
  readonly reply: Reply | undefined;
  hangUp(): void;
}

interface OpenCall extends Call {
  reply: Reply | undefined;
}

/** A call of the peer to a fake member. */
interface Question {
  readonly at: Endpoint;
  readonly request: Request;
  readonly answer: (reply: Reply) => void;
}

/** What a beat goes on for. */
export interface Until {
  readonly what: string;
  readonly isTrue: () => boolean;
}

/** What happened in one beat. */
interface Beat {
  readonly heard: Question[];
  readonly answered: OpenCall[];
  readonly did: string[];
  readonly cuts: PublishedCut[];
}

/** The peer tells alerts after 100 ms. */
const LULL_MS = 300;
/** Longer than the longest delay before a classic round of five, and than the longest attempt to join. */
const UNTIL_MS = 20_000;
const LATE_MS = 5000;
const ACK: Reply = { kind: "ack" };

export class Dialogue implements Audience {
  readonly names: Names;
  readonly transcript: string[] = [];
  /** How much happened in each beat. */
  readonly measure: number[] = [];
  readonly #stage: Stage;
  readonly #addresses: ReadonlyMap<string, Endpoint>;
  /** What the same script came to elsewhere: a beat is not over before as much has happened. */
  readonly #expected: readonly number[];
  readonly #silent = new Set<Endpoint>();
  #held: Question[] = [];
  #probed: Endpoint[] = [];
  /** How often each silent one was probed. */
  readonly #inVain = new Map<Endpoint, number>();
  #waiting: OpenCall[] = [];
  #beat: Beat = emptyBeat();
  #broadcasts = 0;
  /** What fakes wanted told to everybody, by name. */
  readonly #said = new Map<string, string>();
  /** The peer's Prepares. When it draws them is chance, so that they are told when a script asks for one. */
  #fallbacks: Broadcast[] = [];

  constructor(stage: Stage, addresses: ReadonlyMap<string, Endpoint>, expected: readonly number[] = []) {
    this.#stage = stage;
    this.#addresses = addresses;
    this.#expected = expected;
    this.names = new Names(new Map([...addresses].map(([name, endpoint]) => [endpoint, name])));
  }

  at(name: string): Endpoint {
    const endpoint = this.#addresses.get(name);
    if (endpoint === undefined) throw new Error(`${name} has no address`);
    return endpoint;
  }

  get peer(): Endpoint {
    return this.at(PEER);
  }

  /** A stage direction. */
  scene(text: string): void {
    this.transcript.push("", `— ${text}`);
  }

  /** What a fake wants told to everybody, under an id of its own. */
  broadcast(gossip: Gossip, aheadSeconds: number = 0): Broadcast {
    this.#broadcasts += 1;
    const unique = BigInt(this.#broadcasts);
    const unix = this.#stage.unixSeconds + BigInt(aheadSeconds);
    const broadcast: Broadcast = { kind: "broadcast", unix, unique, gossip };
    const when =
      aheadSeconds === 0 ? "" : ` of ${Math.abs(aheadSeconds)} s ${aheadSeconds < 0 ? "ago" : "ahead"}`;
    const name = `b${this.#broadcasts}${when}`;
    this.names.give(broadcast, name);
    this.#said.set(name, sentencesOf([broadcast], this.names)[0]!);
    return broadcast;
  }

  /** A fake says these to the peer, all at once. */
  async says(who: string, said: Request | readonly Request[], until?: Until): Promise<readonly Call[]> {
    const requests = "kind" in said ? [said] : said;
    for (const sentence of sentencesOf(requests, this.names)) this.#tell(`${who} to ${PEER}: ${sentence}`);
    const calls = requests.map((request) => this.#say(who, request));
    await this.#play(until);
    const waiting = calls.filter(({ reply }) => reply === undefined);
    this.#waiting.push(...waiting);
    this.#tellAll(waiting.map(() => `${PEER} does not answer yet`));
    return calls;
  }

  /** It gives up waiting for an answer. */
  async hangsUp(who: string, calls: readonly Call[]): Promise<void> {
    this.#tell(`${who} hangs up`);
    for (const call of calls) call.hangUp();
    this.#waiting = this.#waiting.filter((call) => !calls.includes(call));
    await this.#play();
  }

  /** A fake answers all that the peer asked it and still waits for. */
  async answers(who: string, reply: Reply, until?: Until): Promise<void> {
    const at = this.at(who);
    const asked = this.#held.filter((question) => question.at === at);
    this.#held = this.#held.filter((question) => question.at !== at);
    this.#tell(`${who} answers ${PEER}: ${replyIn(reply, this.names)}`);
    for (const { answer } of asked) answer(reply);
    await this.#play(until);
  }

  /** From now on it answers nothing any more, probes included. */
  fallsSilent(who: string): void {
    this.#tell(`${who} falls silent`);
    this.#silent.add(this.at(who));
  }

  /** How often the peer has probed one that is silent. */
  probesInVain(who: string): void {
    this.#tell(`${PEER} has probed ${who} ${this.#inVain.get(this.at(who)) ?? 0} times in vain`);
  }

  speaksAgain(who: string): void {
    this.#tell(`${who} answers again`);
    this.#silent.delete(this.at(who));
  }

  /** Nobody says anything. */
  async waits(until?: Until): Promise<void> {
    await this.#play(until);
  }

  /**
   * It has waited long enough for a decision of the fast round here, and begins a classic one. Whether it came to that in
   * an earlier configuration is chance too, and not told.
   */
  async fallsBack(configuration: ConfigurationId): Promise<void> {
    const here = (): readonly Broadcast[] =>
      this.#fallbacks.filter(({ gossip }) => gossip.configuration === configuration);
    await this.#stage.pass(() => here().length > 0, UNTIL_MS, LULL_MS);
    const said = new Set(here().map((broadcast) => sentencesOf([broadcast], this.names)[0]));
    this.#tell(`${PEER} falls back: ${[...said].join("; ") || "not at all"}`);
    this.#fallbacks = [];
  }

  /** Whom the peer probes. Nothing that changes that may be under way. */
  async probes(): Promise<void> {
    this.#probed = [];
    await this.#stage.pass(() => false, 1.5 * PEER_SETTINGS.faultTimeoutMs, 0);
    this.#tell(`${PEER} probes ${this.names.list(new Set(this.#probed))}`);
  }

  /** The peer has said such a thing to a fake in this beat. */
  untilHeard(what: string, isIt: (said: Request) => boolean, times: number = 1): Until {
    const isTrue = (): boolean => this.#beat.heard.filter(({ request }) => isIt(request)).length >= times;
    return { what, isTrue };
  }

  untilCut(): Until {
    return { what: "a cut", isTrue: () => this.#beat.cuts.length > 0 };
  }

  /** What the peer wrote in its last request of this kind that a fake has not answered yet. */
  asked<K extends Request["kind"]>(kind: K): Extract<Request, { kind: K }> {
    const request = this.#held.map((question) => question.request).findLast((one) => one.kind === kind);
    if (request === undefined) throw new Error(`the peer waits for no answer to a ${kind}`);
    return request as Extract<Request, { kind: K }>;
  }

  // What the stage tells.

  heard(at: Endpoint, request: Request, answer: (reply: Reply) => void): void {
    if (this.#silent.has(at)) {
      if (request.kind === "probe") this.#inVain.set(at, (this.#inVain.get(at) ?? 0) + 1);
      else this.#beat.heard.push({ at, request, answer });
      return;
    }
    if (request.kind === "probe") this.#probed.push(at);
    else if (this.#isFallback(request)) this.#fallbacks.push(request);
    else this.#beat.heard.push({ at, request, answer });
    if (request.kind === "preJoin" || request.kind === "join") this.#held.push({ at, request, answer });
    else answer(ACK);
  }

  published(cut: PublishedCut): void {
    this.#beat.cuts.push(cut);
  }

  panicked(why: string): void {
    this.#beat.did.push(`panics: ${why}`);
  }

  #isFallback(request: Request): request is Broadcast {
    return (
      request.kind === "broadcast" &&
      request.gossip.kind === "prepare" &&
      request.gossip.sender === this.peer &&
      this.names.broadcast(request) === undefined
    );
  }

  #say(who: string, request: Request): OpenCall {
    const call: OpenCall = { label: `${who}'s ${request.kind}`, reply: undefined, hangUp: () => hangUp() };
    const hangUp = this.#stage.say(request, (reply) => {
      call.reply = reply;
      this.#beat.answered.push(call);
    });
    return call;
  }

  async #play(until?: Until): Promise<void> {
    const expected = this.#expected[this.measure.length] ?? 0;
    if (until !== undefined) await this.#stage.pass(until.isTrue, UNTIL_MS, 0);
    const wasInVain = until?.isTrue() === false;
    await this.#stage.pass(() => this.#happened >= expected, LATE_MS, LULL_MS);
    this.measure.push(this.#happened);
    this.#tellBeat();
    if (wasInVain) this.#tell(`  (${until.what} was waited for in vain)`);
    this.#beat = emptyBeat();
  }

  get #happened(): number {
    const { heard, answered, did, cuts } = this.#beat;
    return heard.length + answered.length + did.length + cuts.length;
  }

  #tellBeat(): void {
    const { answered, cuts, did } = this.#beat;
    const late = answered.filter((call) => this.#waiting.includes(call));
    this.#waiting = this.#waiting.filter((call) => !late.includes(call));
    const replies = [
      ...answered
        .filter((call) => !late.includes(call))
        .map(({ reply }) => `${PEER}: ${replyIn(reply!, this.names)}`),
      ...late.map(({ label, reply }) => `${PEER} to ${label}: ${replyIn(reply!, this.names)}`),
    ];
    this.#tellAll(replies);
    this.#tellAll(this.#sayings());
    this.#tellAll(did.map((what) => `${PEER} ${what}`));
    for (const cut of cuts) this.#tell(`  ${PEER} is in ${cutIn(cut, this.names)}`);
  }

  /** What the peer said, and to whom; what it told several, once. */
  #sayings(): readonly string[] {
    const copies = new Map<string, Question[]>();
    for (const question of this.#beat.heard) {
      const { request } = question;
      const id = request.kind === "broadcast" ? idOf(request) : `direct ${copies.size}`;
      copies.set(id, [...(copies.get(id) ?? []), question]);
    }
    const told = new Map<string, Request[]>();
    for (const questions of copies.values()) {
      const to = questions.map(({ at }) => this.names.of(at)).sort();
      told.set(to.join(" "), [...(told.get(to.join(" ")) ?? []), questions[0]!.request]);
    }
    return [...told]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([to, requests]) =>
        this.#sentences(requests).map((sentence) => `${PEER} to ${to}: ${sentence}`),
      );
  }

  /** What it only tells on, as it was, is told by name. */
  #sentences(requests: readonly Request[]): readonly string[] {
    const [on, own] = [[] as string[], [] as Request[]];
    for (const request of requests) {
      const name = request.kind === "broadcast" ? this.names.broadcast(request) : undefined;
      if (name !== undefined && this.#said.get(name) === sentencesOf([request], this.names)[0]) on.push(name);
      else own.push(request);
    }
    const sentences = sentencesOf(own, this.names);
    return on.length === 0 ? sentences : [`${inOrder(on).join(" ")}, told on`, ...sentences];
  }

  /** In an order that does not depend on how they came, equal ones once. */
  #tellAll(lines: readonly string[]): void {
    const counts = new Map<string, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    for (const [line, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
      this.#tell(`  ${line}${count === 1 ? "" : ` (${count} times)`}`);
  }

  #tell(line: string): void {
    this.transcript.push(line);
  }
}

/** b2 before b10. */
function inOrder(names: readonly string[]): readonly string[] {
  return [...names].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

function emptyBeat(): Beat {
  return { heard: [], answered: [], did: [], cuts: [] };
}
