// Who calls, as far as TLS tells, and what he may do.

import type { TLSSocket } from "node:tls";
import type { Metadata } from "../core/messages.ts";
import { type CertificateInfo, infoOf } from "../grpc/index.ts";

export type { CertificateInfo };

/** Somebody who has connected. */
export interface Caller {
  /** Where the connection comes from, as "ip:port"; the port is any. */
  readonly address: string;
  /** What he showed; issued by one of the authorities in `tls.ca`, and valid. */
  readonly certificate: CertificateInfo;
}

/** What a caller wants. */
export type Wish =
  /** To speak the membership protocol, as members do; asked once for each connection. */
  | { readonly kind: "membership" }
  /** To become the member at `address`, with this metadata. */
  | { readonly kind: "join"; readonly address: string; readonly metadata: Metadata }
  /** To call a service; also those for health, reflection and `blip members`. */
  | { readonly kind: "call"; readonly service: string; readonly method: string }
  /** To order what only an operator may, from another machine: `blip declare-dead`, `blip force-new`. */
  | { readonly kind: "operate"; readonly order: "declareDead" | "forceNew" };

/** True where the caller may; false, or a text that says why, where not. Must answer at once. */
export type Authorize = (caller: Caller, wish: Wish) => boolean | string;

interface Known {
  readonly caller: Caller;
  /** What was said of the protocol, once asked. */
  membership?: string | undefined;
  isAsked?: boolean;
}

/** The callers that are connected by TLS. A port is used by one connection at a time, so that it can name it. */
export class Callers {
  readonly #known = new Map<string, Known>();
  readonly #authorize: Authorize | undefined;

  constructor(authorize: Authorize | undefined) {
    this.#authorize = authorize;
  }

  add(socket: TLSSocket): void {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return;
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#known.set(address, { caller: { address, certificate: infoOf(certificate) } });
    socket.once("close", () => this.#known.delete(address));
  }

  certificateOf(peer: string): CertificateInfo | undefined {
    return this.#known.get(peer)?.caller.certificate;
  }

  /** Why the caller may not have what it wants, or `undefined`. */
  refusalOf(peer: string, wish: Wish): string | undefined {
    const authorize = this.#authorize;
    if (authorize === undefined) return undefined;
    const known = this.#known.get(peer);
    if (known === undefined) return "the caller's connection is gone";
    if (wish.kind !== "membership") return ask(authorize, known.caller, wish);
    if (known.isAsked !== true) known.membership = ask(authorize, known.caller, wish);
    known.isAsked = true;
    return known.membership;
  }
}

function ask(authorize: Authorize, caller: Caller, wish: Wish): string | undefined {
  let answer: unknown;
  try {
    answer = authorize(caller, wish);
  } catch {
    // What it threw may hold secrets of the one who wrote it, and is told to a stranger.
    answer = "the decision failed";
  }
  if (answer === true) return undefined;
  const { name } = caller.certificate;
  const reason = typeof answer === "string" && answer !== "" ? `: ${answer}` : "";
  return `${JSON.stringify(name)} may not ${wordsFor(wish)}${reason}`;
}

function wordsFor(wish: Wish): string {
  if (wish.kind === "call") return `call ${wish.service}/${wish.method}`;
  if (wish.kind === "operate") return `order ${wish.order}`;
  return wish.kind === "join" ? `join as ${wish.address}` : "take part in the mesh";
}
