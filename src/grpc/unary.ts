// One unary call on a channel, bytes for bytes. It goes below the client of grpc-js, whose interceptors, emitters
// and stack traces cost as much again as the call.

import { type ChannelInterface, Metadata, status } from "@grpc/grpc-js";

/** `message` is there where `code` is OK. Called once, never before `unary` has returned. */
export type Ended = (code: number, details: string, message: Buffer) => void;

const NOTHING = Buffer.alloc(0);
const NO_HEADERS = new Metadata();

/** Calls and returns how to cancel: after that `ended` is told CANCELLED, unless it was told before. */
export function unary(
  channel: ChannelInterface,
  path: string,
  message: Buffer,
  timeoutMs: number,
  ended: Ended,
  headers: Metadata = NO_HEADERS,
): () => void {
  let received: Buffer | undefined;
  try {
    const call = channel.createCall(path, Date.now() + timeoutMs, null, null, null);
    call.start(headers, {
      onReceiveMetadata() {},
      onReceiveMessage(bytes: Buffer) {
        received = bytes;
      },
      onReceiveStatus({ code, details }) {
        if (code !== status.OK) ended(code, plain(details), NOTHING);
        else if (received !== undefined) ended(code, details, received);
        else ended(status.INTERNAL, "the answer has no message", NOTHING);
      },
    });
    call.startRead();
    call.sendMessageWithContext({}, message);
    call.halfClose();
    return () => call.cancelWithStatus(status.CANCELLED, "cancelled");
  } catch (error) {
    // Only a channel that is shut down throws.
    process.nextTick(ended, status.UNAVAILABLE, String(error), NOTHING);
    return () => {};
  }
}

const NO_CONNECTION = /^No connection established\. Last error: (?:Error: )?(.*?)(?: \(\d{4}-[^)]*Z\))?\.?$/s;

/** The reason of a failed connection, without what grpc-js puts around it. */
function plain(details: string): string {
  const text = details.replace(/ ?Resolution note: ?$/, "");
  const why = NO_CONNECTION.exec(text)?.[1];
  // So it is where a member that is reached by TLS is spoken to in plaintext.
  return why === "Failed to connect" ? "it hung up at once; does it speak TLS, and we not?" : (why ?? text);
}
