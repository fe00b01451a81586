// One client of the benchmark, of the kind on its command line. Each line on stdin says how many calls are to be in
// flight and for how long, and is answered with what they took.

import { connect } from "node:http2";
import { Client, credentials } from "@grpc/grpc-js";
import { client, createMesh } from "blip-mesh";
import { obey, payload, print, Work } from "./work.mjs";

const [kind, given] = process.argv.slice(2);
const port = JSON.parse(given);

function grpcCall(target, channelOptions, callOptions) {
  const grpc = new Client(target, credentials.createInsecure(), channelOptions);
  const { path, requestSerialize, responseDeserialize } = Work.work;
  return () =>
    new Promise((resolve, reject) => {
      const ended = (error, answer) => (error === null ? resolve(answer) : reject(error));
      grpc.makeUnaryRequest(path, requestSerialize, responseDeserialize, payload, callOptions(), ended);
    });
}

const kinds = {
  async blip() {
    const mesh = await createMesh({ listen: "127.0.0.1:0", seeds: [`127.0.0.1:${port}`] });
    const calls = client(mesh, Work);
    return () => calls.work(payload);
  },

  grpc: () => grpcCall(`127.0.0.1:${port}`, {}, () => ({})),

  "grpc deadline": () => grpcCall(`127.0.0.1:${port}`, {}, () => ({ deadline: Date.now() + 10_000 })),

  "grpc round_robin": () => {
    const config = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
    return grpcCall(`ipv4:127.0.0.1:${port}`, { "grpc.service_config": config }, () => ({}));
  },

  http2() {
    const session = connect(`http://127.0.0.1:${port}`);
    const headers = { ":method": "POST", ":path": Work.work.path };
    return () =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers);
        const parts = [];
        stream.on("data", (part) => parts.push(part));
        stream.on("end", () => resolve(Buffer.concat(parts)));
        stream.on("error", reject);
        stream.end(payload);
      });
  },

  async moleculer() {
    const { ServiceBroker } = (await import("moleculer")).default;
    const [serverPort, ownPort] = port;
    const broker = new ServiceBroker({
      nodeID: "client",
      logger: false,
      registry: { preferLocal: false },
      transporter: {
        type: "TCP",
        options: {
          udpDiscovery: false,
          urls: [`tcp://127.0.0.1:${serverPort}/server`, `tcp://127.0.0.1:${ownPort}/client`],
        },
      },
    });
    await broker.start();
    await broker.waitForServices("work");
    // It speaks JSON.
    const params = { bytes: payload.toString("latin1") };
    return () => broker.call("work.work", params);
  },
};

const call = await kinds[kind]();
await call();
print({ ready: true });

obey(async ({ inFlight, forMs }) => {
  const tookMs = [];
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const untilMs = startedMs + forMs;
  const oneAfterTheOther = async () => {
    for (let now = performance.now(); now < untilMs; ) {
      await call();
      const then = performance.now();
      tookMs.push(then - now);
      now = then;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, oneAfterTheOther));
  const wallMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  tookMs.sort((a, b) => a - b);
  const quantile = (share) => tookMs[Math.floor(tookMs.length * share)];
  print({ calls: tookMs.length, cpuUs: user + system, wallMs, p50Ms: quantile(0.5), p99Ms: quantile(0.99) });
});
