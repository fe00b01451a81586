// The configurations that we were in, and what ended each of them: to tell the past from what we are not in yet, and
// to bring up to date those who stayed behind. Bounded, the oldest go first.

import { asAppliedIn, viewAfter } from "./certificates.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Certificate, ConfigurationId } from "./messages.ts";
import type { View } from "./view.ts";

interface Chapter {
  readonly view: View;
  /** Absent where we do not know how it ended, as when we had to join anew. */
  certificate?: Certificate;
}

const PAST_MAX = 64;
const ASTRAY_MAX = 32;
const UNBOUND_MAX = 16;
/** Members over all views that are kept: with large meshes, fewer views. */
const MEMBERS_MAX = 65_536;
/** Certificates that are given to one who asks, at a time. */
const CHAIN_MAX = 16;

/** What these may weigh together, roughly; one is always given. */
const CHAIN_BYTES_MAX = 4 * 1024 * 1024;

export class History {
  readonly #past = new Set<ConfigurationId>();
  #chapters: Chapter[] = [];
  #astray: readonly View[] = [];
  #ended: ConfigurationId | undefined;
  /** Those that we turned from or gave up, bound by nothing there. */
  readonly #unbound = new Set<ConfigurationId>();

  /** One configuration is over, and another begins, if we are in one then; it may be one that we had given up. */
  follow(before: View | undefined, certificate: Certificate | undefined, view: View | undefined): void {
    if (before !== undefined && before !== view) this.add(before, certificate);
    if (view !== undefined) this.#past.delete(view.id);
  }

  /** This configuration is over. */
  add(view: View, certificate?: Certificate): void {
    if (this.#past.has(view.id)) return;
    this.#remember(view.id);
    if (this.#chapters.at(-1)?.view.id === view.id) this.#chapters.pop();
    this.#chapters.push(certificate === undefined ? { view } : { view, certificate });
    let members = this.#chapters.reduce((sum, chapter) => sum + chapter.view.size, 0);
    while (this.#chapters.length > PAST_MAX || (members > MEMBERS_MAX && this.#chapters.length > 1)) {
      members -= this.#chapters.shift()!.view.size;
    }
  }

  /**
   * We enter this one; those in which we asked to be let in before it are over. It may not have come of the one that we gave up.
   */
  enter(view: View, askedIn: readonly ConfigurationId[]): void {
    const at = askedIn.indexOf(view.id);
    this.#unbound.delete(view.id);
    for (const id of at < 0 ? askedIn : askedIn.slice(0, at)) this.#remember(id);
    const last = this.#chapters.at(-1)?.view;
    if (last !== undefined && last.id !== view.id && !view.isAfter(last)) this.strayTo([last]);
  }

  /** This one is over, and who is there lacks what ended it; which it does not where it took another turn than we did. */
  isPast(id: ConfigurationId): boolean {
    return this.#past.has(id) && !this.#astray.some((view) => view.id === id);
  }

  /** We left this one. */
  wasIn(id: ConfigurationId): boolean {
    return this.#past.has(id);
  }

  /** We were never there, or left it bound by nothing and did not come back yet: what we do there, we do once. */
  mayGoTo(id: ConfigurationId): boolean {
    return !this.#past.has(id) || this.#unbound.has(id);
  }

  /** The configurations before this one, newest first. */
  get newest(): readonly View[] {
    return this.#chapters.map(({ view }) => view).reverse();
  }

  /** What ended the first of these configurations that we left, and each later one, as far as we know. */
  chainFrom(ids: readonly ConfigurationId[]): readonly Certificate[] {
    return this.stepsFrom(ids).map(({ certificate }) => certificate);
  }

  stepsFrom(
    ids: readonly ConfigurationId[],
  ): readonly { readonly view: View; readonly certificate: Certificate }[] {
    const from = this.#chapters.findLastIndex(({ view }) => ids.includes(view.id));
    const steps: { view: View; certificate: Certificate }[] = [];
    if (from < 0) return steps;
    let bytes = 0;
    for (const { view, certificate } of this.#chapters.slice(from, from + CHAIN_MAX)) {
      if (certificate === undefined) break;
      bytes += sizeOf(certificate);
      if (bytes > CHAIN_BYTES_MAX && steps.length > 0) break;
      steps.push({ view, certificate });
    }
    return steps;
  }

  /**
   * Others took another turn than we did out of the configuration before ours: their view after it, as far as they
   * prove it. Members vote on endpoints, so the same decision may have admitted another incarnation (PITFALLS B3).
   */
  otherTurn(certificate: Certificate): View | undefined {
    const last = this.#chapters.at(-1);
    // Who gave a configuration up and joined anew took no turn there: where the others went since is behind it.
    if (last?.certificate === undefined || last.certificate.value.join() !== certificate.value.join()) {
      return undefined;
    }
    return viewAfter(last.view, certificate);
  }

  /**
   * That turn, to `right`, was the right one, by this certificate, or by ours where that leads there, too. What we took for
   * the present belongs to the past; we may come back once if nothing bound us there, unless we did so already.
   */
  turn(
    wrong: View,
    right: View,
    isFree: boolean,
    certificate: Certificate | undefined = this.#lastStepTo(right),
  ): void {
    if (!this.#unbound.delete(right.id) && isFree) this.#leaveUnbound(wrong.id);
    this.#past.delete(right.id);
    this.#remember(wrong.id);
    this.#astray = this.#astray.filter(({ id }) => id !== right.id);
    this.strayTo([wrong]);
    const last = this.#chapters.at(-1);
    if (last !== undefined && certificate !== undefined) last.certificate = certificate;
  }

  #leaveUnbound(id: ConfigurationId): void {
    this.#unbound.add(id);
    if (this.#unbound.size > UNBOUND_MAX) this.#unbound.delete(this.#unbound.values().next().value!);
  }

  #lastStepTo(right: View): Certificate | undefined {
    const last = this.#chapters.at(-1);
    const by = last?.certificate && asAppliedIn(right, last.certificate);
    return by && viewAfter(last!.view, by)?.id === right.id ? by : undefined;
  }

  /** We give this one up, where nothing can be decided any more if it is over, and nothing binds us if we are free. */
  gaveUp(id: ConfigurationId, isOver: boolean, isFree: boolean): void {
    if (isOver) this.#ended = id;
    if (isFree) this.#leaveUnbound(id);
  }

  hasEnded(id: ConfigurationId): boolean {
    return this.#ended === id;
  }

  /** Somebody may have taken one of these where we took another: no step of ours leads on from there. */
  strayTo(views: readonly View[]): void {
    this.#astray = [...views, ...this.#astray].slice(0, ASTRAY_MAX);
  }

  /** Configurations in which nobody should be, the last ones first. */
  get astray(): readonly View[] {
    return this.#astray;
  }

  #remember(id: ConfigurationId): void {
    this.#past.add(id);
    if (this.#past.size > PAST_MAX) this.#past.delete(this.#past.keys().next().value!);
  }

  wasMember(node: Endpoint): boolean {
    return this.#chapters.some(({ view }) => view.has(node));
  }
}

function sizeOf({ value, joiners, voters }: Certificate): number {
  let bytes = 20 * (value.length + voters.length);
  for (const { metadata } of joiners.values()) {
    for (const [key, { length }] of Object.entries(metadata)) bytes += key.length + length + 8;
  }
  return bytes;
}
