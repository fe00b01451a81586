// Two ports of the loopback interface that nobody listens on.

import { createServer } from "node:net";

export async function freeAddresses() {
  const servers = [createServer(), createServer()];
  await Promise.all(
    servers.map((server) => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
