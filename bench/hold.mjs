// Preloaded into a Node member: loads the library and the command that will run, and then holds the member back
// until a line comes on stdin, so that many members can begin to join at the same moment. Each later line is answered on stderr with how
// many requests this process has made over HTTP/2 so far, and how many messages it has written to them. The
// process ends when its stdin does.

import http2 from "node:http2";
import { createInterface } from "node:readline";

let requests = 0;
let messages = 0;
const { connect } = http2;
http2.connect = (...given) => {
  const session = connect(...given);
  const { request } = session;
  session.request = (...asked) => {
    requests++;
    const stream = request.apply(session, asked);
    const { write } = stream;
    stream.write = (...written) => {
      messages++;
      return write.apply(stream, written);
    };
    return stream;
  };
  return session;
};

await import("blip-mesh");
await import("../dist/cli/command.js");
await import("../dist/cli/agent.js");

const lines = createInterface({ input: process.stdin });
lines.once("close", () => process.exit(0));
process.stderr.write("holding\n");
await new Promise((resolve) => lines.once("line", resolve));
lines.on("line", () => process.stderr.write(`sent ${requests} ${messages}\n`));
// The member decides when its process is done.
process.stdin.unref();
