// Where others reach a simulated member: the methods that its services registered, and the calls to them that are under way.

import { type Server, status } from "@grpc/grpc-js";
import type { Endpoint } from "../../core/endpoint.ts";
import { BlipError } from "../../mesh/errors.ts";
import type { Answers } from "./client-call.ts";
import {
  type Registered,
  refuseCall,
  type ServedCall,
  type ServedRequest,
  serveCall,
} from "./served-call.ts";

interface Method extends Registered {
  /** A user's, whose calls may end before the server does. */
  readonly isUsers: boolean;
}

export class SimulatedServer {
  readonly #methods = new Map<string, Method>();
  readonly #calls = new Set<ServedCall>();
  readonly #reserve: (at: Endpoint) => Endpoint | undefined;
  #underWay = 0;
  #emptied = (): void => {};
  #isClosing = false;
  readonly #ended: () => void;

  /** `reserve` gives an address to one listener at a time; `ended` is told when nothing is left to do. */
  constructor(reserve: (at: Endpoint) => Endpoint | undefined, ended: () => void) {
    this.#reserve = reserve;
    this.#ended = ended;
  }

  readonly users: Pick<Server, "register"> = {
    register: (path, handler, serialize, deserialize, type) =>
      this.#register(path, { handler, serialize, deserialize, type, isUsers: true } as Method),
  };
  readonly besides: Pick<Server, "register"> = {
    register: (path, handler, serialize, deserialize, type) =>
      this.#register(path, { handler, serialize, deserialize, type, isUsers: false } as Method),
  };

  async listen(at: Endpoint): Promise<Endpoint> {
    const bound = this.#reserve(at);
    if (bound !== undefined) return bound;
    throw new BlipError("BLIP_ADDRESS_IN_USE", `listen: ${at} is in use by another process`, {
      field: "listen",
    });
  }

  serve(request: ServedRequest, answers: Answers): ServedCall {
    if (this.#isClosing) {
      return refuseCall(answers, { code: status.UNAVAILABLE, details: "Stream refused by server" });
    }
    const method = this.#methods.get(request.path);
    if (method === undefined) {
      const details = `The server does not implement the method ${request.path}`;
      return refuseCall(answers, { code: status.UNIMPLEMENTED, details });
    }
    if (method.isUsers) this.#underWay += 1;
    const call = serveCall(method, request, answers, () => {
      this.#calls.delete(call);
      if (!method.isUsers) return;
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#emptied();
    });
    this.#calls.add(call);
    return call;
  }

  async close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    if (drainMs > 0 && this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, drainMs);
        this.#emptied = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.abort();
  }

  abort(): void {
    this.#isClosing = true;
    for (const call of [...this.#calls]) call.cancel();
    this.#ended();
  }

  #register(path: string, method: Method): boolean {
    if (this.#methods.has(path)) return false;
    this.#methods.set(path, method);
    return true;
  }
}
