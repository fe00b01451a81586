// The sockets of one channel, and how to destroy them. Node heeds an AbortSignal in the address that grpc-js hands to
// it. Each socket has a signal of its own: Node never takes its listener off again, so that with one for all every
// connection that was ever refused or lost would be kept for as long as the channel is.

/** The newest connection, and the one before, where calls may still be under way. */
const CONNECTED_MAX = 2;

export class Sockets {
  #attempt: AbortController | undefined;
  #connected: AbortController[] = [];

  /** For the next socket. What was attempted before came to nothing and is over: there is one attempt at a time. */
  nextSignal(): AbortSignal {
    this.#attempt = new AbortController();
    return this.#attempt.signal;
  }

  /** The newest one is connected. */
  connected(): void {
    if (this.#attempt === undefined) return;
    this.#connected.push(this.#attempt);
    if (this.#connected.length > CONNECTED_MAX) this.#connected.shift();
    this.#attempt = undefined;
  }

  destroy(): void {
    this.#attempt?.abort();
    for (const connection of this.#connected) connection.abort();
    this.#attempt = undefined;
    this.#connected = [];
  }
}
