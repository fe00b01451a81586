// Where members may be found: addresses, names that DNS is asked for anew at each attempt, or what the user's own
// function answers. Whatever goes wrong here is told and tried again; only the caller's patience ends a join.

import { addressOf, type Endpoint, parseEndpoint } from "../core/endpoint.ts";
import { type HostPort, parseHostPort, resolveAll } from "./address.ts";

/** Looks members up elsewhere: in a registry, in a file. Called again before each attempt to join. */
export type FindSeeds = (signal: AbortSignal) => Promise<readonly string[]> | readonly string[];

export type Seeds = readonly string[] | FindSeeds;

interface Seed extends HostPort {
  readonly tls: boolean;
}

/** Reads "host:port", which is reached by TLS where we are, or the same after "tls://" or "plain://". */
export function parseSeed(text: string, tls: boolean): Seed | undefined {
  const [, scheme, address] = /^(?:(tls|plain):\/\/)?(.*)$/s.exec(text)!;
  const at = parseHostPort(address!);
  return at && { ...at, tls: scheme === undefined ? tls : scheme === "tls" };
}

/** How long one look-up may take before the attempt goes on with what is known. */
const LOOKUP_MS_MAX = 5_000;

/** All addresses that the seeds stand for now, each once, without those of this member itself. */
export async function resolveSeeds(
  seeds: Seeds,
  own: ReadonlySet<Endpoint>,
  tls: boolean,
  closing: AbortSignal,
  warn: (text: string) => void,
): Promise<readonly Endpoint[]> {
  const texts = typeof seeds === "function" ? await ask(seeds, closing, warn) : seeds;
  const found = await Promise.all(texts.map((text) => resolve(text, tls, closing, warn)));
  const all = new Set(found.flat());
  const others = [...all].filter((endpoint) => !own.has(endpoint));
  if (all.size > 0 && others.length === 0) warn("seeds: they name only this member itself");
  return others;
}

async function ask(
  find: FindSeeds,
  closing: AbortSignal,
  warn: (text: string) => void,
): Promise<readonly string[]> {
  try {
    const asked = await within(LOOKUP_MS_MAX, closing, async (signal) => find(signal));
    if (Array.isArray(asked) && asked.every((text) => typeof text === "string")) return asked;
    warn("seeds: the function answered something other than an array of texts");
  } catch (error) {
    if (!closing.aborted) warn(`seeds: the function failed: ${wordsOf(error)}`);
  }
  return [];
}

async function resolve(
  text: string,
  tls: boolean,
  closing: AbortSignal,
  warn: (text: string) => void,
): Promise<readonly Endpoint[]> {
  const at = parseSeed(text, tls);
  if (at === undefined || at.port === 0) {
    warn(`seeds: expected host:port, got ${JSON.stringify(text)}`);
    return [];
  }
  try {
    const found = await within(LOOKUP_MS_MAX, closing, () => resolveAll(at));
    return found.map((endpoint) => parseEndpoint(addressOf(endpoint), at.tls)!);
  } catch (error) {
    if (!closing.aborted) warn(`seeds: ${text} does not resolve: ${wordsOf(error)}`);
    return [];
  }
}

async function within<T>(
  ms: number,
  closing: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const giveUp = new AbortController();
  const ended = new Promise<never>((_, reject) => {
    giveUp.signal.addEventListener("abort", () => reject(giveUp.signal.reason), { once: true });
  });
  const timer = setTimeout(() => giveUp.abort(new Error(`no answer within ${ms} ms`)), ms);
  const close = (): void => giveUp.abort(closing.reason);
  if (closing.aborted) close();
  closing.addEventListener("abort", close, { once: true });
  try {
    return await Promise.race([ended, work(giveUp.signal)]);
  } finally {
    clearTimeout(timer);
    closing.removeEventListener("abort", close);
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
