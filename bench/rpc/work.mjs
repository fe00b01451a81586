// What every kind of client and server of the benchmark does: 100 bytes there, and the same bytes back. Bytes are not
// encoded, so that only the calls themselves are compared.

import { createInterface } from "node:readline";

export const payload = Buffer.alloc(100, 7);

const bytes = (value) => value;

export const Work = {
  work: {
    path: "/bench.Work/Work",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
};

export function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Runs `act` for each line on stdin, one after the other; the process ends when its stdin does. */
export function obey(act) {
  let last = Promise.resolve();
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    last = last.then(() => act(JSON.parse(line)));
  });
  lines.once("close", () => process.exit(0));
}
