// A process of its own that serves, calls, or both, as the JSON on its command line says. It prints one line of JSON
// when it is ready, one for each cut, and one with all that it saw of its calls when it ends: on SIGTERM, gracefully,
// as a deploy would end it, or at once, when its stdin does. A line on stdin sets how many calls it makes a second.

import { createInterface } from "node:readline";
import { Client, credentials } from "@grpc/grpc-js";
import { client, createMesh, service } from "blip-mesh";

const { listen, seeds, serves, handlerMs, timeoutMs, idempotent, plain } = JSON.parse(process.argv[2]);
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const bytes = (value) => value;
const Work = {
  work: {
    path: "/test.Work/Work",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
};

const work = service(Work, {
  work: (call, answer) => setTimeout(() => answer(null, call.request), handlerMs),
});

/** With a list of addresses for a mesh: a client of grpc-js alone, as somebody outside has it. */
function plainClient() {
  const grpc = new Client(`ipv4:${plain.join()}`, credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
  });
  const call = (request) =>
    new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + timeoutMs };
      grpc.makeUnaryRequest(Work.work.path, bytes, bytes, request, options, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
  return { call, end: async () => grpc.close() };
}

async function meshClient() {
  const mesh = await createMesh({ listen, seeds, services: serves ? [work] : [] });
  const calls = client(mesh, Work, { timeoutMs, idempotent });
  void (async () => {
    for await (const { members } of mesh.cuts()) {
      print({ event: "cut", time: Date.now(), members: members.map(({ address }) => address) });
    }
  })();
  return { call: (request) => calls.work(request), end: () => mesh.leave({ timeoutMs: 10_000 }) };
}

const { call, end } = plain === undefined ? await meshClient() : plainClient();
print({ event: "ready" });

const payload = Buffer.alloc(100, 1);
const underWay = new Set();
const seen = { event: "calls", made: 0, slow: [], failures: [] };
let perSecond = 0;
let due = 0;

async function callOnce() {
  const startedMs = Date.now();
  seen.made += 1;
  try {
    await call(payload);
  } catch (error) {
    const { code, status, address, message } = error;
    seen.failures.push({ startedMs, tookMs: Date.now() - startedMs, code, status, address, message });
    return;
  }
  const tookMs = Date.now() - startedMs;
  if (tookMs > 500) seen.slow.push({ startedMs, tookMs });
}

// As many calls as are due by now, however late this timer is: what is slow must not lower the load.
let lastMs = performance.now();
const timer = setInterval(() => {
  const nowMs = performance.now();
  due += ((nowMs - lastMs) * perSecond) / 1000;
  lastMs = nowMs;
  for (; due >= 1; due -= 1) {
    const made = callOnce();
    underWay.add(made);
    void made.then(() => underWay.delete(made));
  }
}, 5);

let isEnding = false;
async function finish(isGraceful) {
  if (isEnding) return;
  isEnding = true;
  clearInterval(timer);
  if (isGraceful) await end();
  await Promise.all(underWay);
  print(seen);
  process.exit(0);
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  perSecond = Number(line);
  due = Math.random();
});
lines.once("close", () => void finish(false));
process.once("SIGTERM", () => void finish(true));
