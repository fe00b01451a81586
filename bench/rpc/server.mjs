// One server of the benchmark, of the kind on its command line; prints where it listens.

import { createServer } from "node:http2";
import { createMesh, service } from "blip-mesh";
import { obey, print, Work } from "./work.mjs";

const [kind] = process.argv.slice(2);

const kinds = {
  /** A member; the clients of grpc-js call it as well. */
  async blip() {
    const work = service(Work, { work: (call, answer) => answer(null, call.request) });
    const mesh = await createMesh({ listen: "127.0.0.1:0", services: [work] });
    return Number(mesh.localAddress.split(":")[1]);
  },

  http2() {
    const server = createServer();
    server.on("stream", (stream) => {
      const parts = [];
      stream.on("data", (part) => parts.push(part));
      stream.on("end", () => {
        stream.respond({ ":status": 200 });
        stream.end(Buffer.concat(parts));
      });
    });
    return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
  },

  async moleculer() {
    const { ServiceBroker } = (await import("moleculer")).default;
    const { freeAddresses } = await import("./ports.mjs");
    const [port, clientPort] = await freeAddresses();
    const broker = new ServiceBroker({
      nodeID: "server",
      logger: false,
      transporter: {
        type: "TCP",
        options: {
          udpDiscovery: false,
          urls: [`tcp://127.0.0.1:${port}/server`, `tcp://127.0.0.1:${clientPort}/client`],
        },
      },
    });
    broker.createService({ name: "work", actions: { work: (context) => context.params } });
    await broker.start();
    return [port, clientPort];
  },
};

print({ port: await kinds[kind]() });
obey(() => {});
