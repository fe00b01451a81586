/** The stage of the real Rust peer: a process of its own, and fake members that listen and speak over gRPC. */
import { type handleUnaryCall, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { type Endpoint, parseEndpoint } from "../../src/core/endpoint.ts";
import type { Reply, Request } from "../../src/core/messages.ts";
import { Channels } from "../../src/grpc/channels.ts";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "../../src/grpc/codec.ts";
import { type Kind, PATHS } from "../../src/grpc/methods.ts";
import { errorOf, refusedBy } from "../../src/grpc/status.ts";
import { unary } from "../../src/grpc/unary.ts";
import { type Audience, PEER_SETTINGS, type Peer, type Stage } from "../../test/dialogues/stage.ts";
import { MemberProcess, type MetadataValue, type PrintedCut } from "../../test/member-process.ts";

const SERVED = Object.entries(PATHS).filter(([, path]) => path.startsWith("/blip.Membership/")) as [
  Kind,
  string,
][];
/** No call of a dialogue waits that long. */
const CALL_MS = 120_000;
const OBSERVERS = PEER_SETTINGS.cutDetector.observers;
const EMPTY = Buffer.alloc(0);
const same = (bytes: Buffer): Buffer => bytes;

export class LiveStage implements Stage {
  readonly #channels = new Channels();
  readonly #servers: Server[] = [];
  #member!: MemberProcess;
  #peer!: Endpoint;
  #audience!: Audience;
  #cutsTold = 0;
  #panicsTold = 0;
  #changed = (): void => {};

  get unixSeconds(): bigint {
    return BigInt(Math.floor(Date.now() / 1000));
  }

  async begin(
    { endpoint, seed, metadata }: Peer,
    fakes: readonly Endpoint[],
    audience: Audience,
  ): Promise<void> {
    this.#peer = endpoint;
    this.#audience = audience;
    await Promise.all(fakes.map((fake) => this.#listen(fake)));
    const { faultTimeoutMs, faultStrikes } = PEER_SETTINGS;
    this.#member = new MemberProcess("rust", {
      listen: endpoint,
      seeds: seed === undefined ? [] : [seed],
      metadata,
      detection: { faultTimeoutMs, faultStrikes },
    });
    this.#member.onChange(() => this.#look());
  }

  say(request: Request, answered: (reply: Reply) => void): () => void {
    let isWanted = true;
    const ended = (code: number, why: string, message: Buffer): void => {
      if (!isWanted) return;
      answered(code === status.OK ? decodeReply(request.kind, message, OBSERVERS) : refusedBy(code, why));
      this.#changed();
    };
    const cancel = unary(
      this.#channels.to(this.#peer),
      PATHS[request.kind],
      encodeRequest(request),
      CALL_MS,
      ended,
    );
    return () => {
      isWanted = false;
      cancel();
    };
  }

  async pass(isOver: () => boolean, atMostMs: number, lullMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, atMostMs);
      this.#changed = () => {
        if (!isOver()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#changed();
    });
    this.#changed = () => {};
    await new Promise((resolve) => setTimeout(resolve, lullMs));
  }

  async end(): Promise<void> {
    await this.#member?.stop();
    this.#channels.closeAll();
    for (const server of this.#servers) server.forceShutdown();
  }

  async #listen(at: Endpoint): Promise<void> {
    const server = new Server({ "grpc.max_receive_message_length": -1 });
    for (const [kind, path] of SERVED) server.register(path, this.#handler(at, kind), same, same, "unary");
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(at, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    this.#servers.push(server);
  }

  #handler(at: Endpoint, kind: Kind): handleUnaryCall<Buffer, Buffer> {
    return ({ request: bytes }, respond) => {
      const request = decodeRequest(kind, bytes);
      if (request.kind === "refused") return respond(errorOf(request), EMPTY);
      this.#audience.heard(at, request, (reply) => {
        if (reply.kind === "refused") respond(errorOf(reply), EMPTY);
        else respond(null, encodeReply(reply));
      });
      this.#changed();
    };
  }

  /** Tells what the peer has printed since the last time. */
  #look(): void {
    const { cuts, panics } = this.#member;
    for (const cut of cuts.slice(this.#cutsTold)) this.#publish(cut);
    for (const panic of panics.slice(this.#panicsTold))
      this.#audience.panicked(panic.replace(/^\S+:\d+:\d+: /, ""));
    this.#cutsTold = cuts.length;
    this.#panicsTold = panics.length;
    this.#changed();
  }

  #publish({ confId, degraded, members, joined, kicked }: PrintedCut): void {
    this.#audience.published({
      configuration: BigInt(confId),
      degraded,
      members: members.map(({ address, metadata }) => ({
        endpoint: parseEndpoint(address)!,
        metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, bytesOf(value)])),
      })),
      joined: joined.map((address) => parseEndpoint(address)!),
      kicked: kicked.map((address) => parseEndpoint(address)!),
    });
  }
}

function bytesOf(value: MetadataValue): Uint8Array {
  return typeof value === "string" ? Buffer.from(value) : Buffer.from(value.base64, "base64");
}
