// Asks a member whether it is there, on the connection on which calls to it go, by the probe that every member
// answers (PROTOCOL, rpc Probe). Whatever status it answers with: who answers is there.

import { type ChannelInterface, Metadata, status } from "@grpc/grpc-js";
import { PROBE } from "../grpc/index.ts";

/** "late" may be followed by "here", when the answer comes after all, or by "gone". */
export type Answer = "here" | "late" | "gone";

export interface Inquiry {
  cancel(): void;
}

const ENDS_MS = 5000;
const NO_HEADERS = new Metadata();
const NO_BYTES = Buffer.alloc(0);

export function askWhetherThere(
  channel: ChannelInterface,
  lateMs: number,
  tell: (answer: Answer) => void,
): Inquiry {
  let isOver = false;
  const askedMs = performance.now();
  const isLate = (): void => {
    // What has arrived meanwhile is read before that.
    setImmediate(() => {
      if (!isOver) tell("late");
    });
  };
  const wait = (then: () => void): NodeJS.Timeout => setTimeout(then, lateMs).unref();
  let late = wait(() => {
    // Where it was this process that was held up, the member is given the time again; once.
    if (performance.now() - askedMs > 1.5 * lateMs) late = wait(isLate);
    else isLate();
  });
  const end = (answer: Answer): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(late);
    tell(answer);
  };
  let call: ReturnType<ChannelInterface["createCall"]>;
  try {
    call = channel.createCall(PROBE, Date.now() + ENDS_MS, null, null, null);
  } catch {
    // The mesh is closed.
    clearTimeout(late);
    isOver = true;
    return { cancel: () => {} };
  }
  call.start(NO_HEADERS, {
    onReceiveMetadata: () => end("here"),
    onReceiveMessage: () => {},
    onReceiveStatus: ({ code }) => {
      const isGone = code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
      end(isGone ? "gone" : "here");
    },
  });
  call.sendMessageWithContext({}, NO_BYTES);
  call.halfClose();
  call.startRead();
  const cancel = (): void => {
    isOver = true;
    clearTimeout(late);
    call.cancelWithStatus(status.CANCELLED, "nobody waits any more");
  };
  return { cancel };
}
