// Which servers a client connects to where there are too many for everybody to connect to all. Clients and servers
// stand on two rings, each in an order that everybody computes alike, and a client takes the servers that follow its
// own place. So servers have equally many clients, give or take one, and when somebody comes or goes a client
// changes one or two of its servers. Equal views make this need no coordination.

import { hash32 } from "./hash32.ts";

/**
 * `size` of the servers, for the client at `self` among all `clients` (addresses, in any order). All of them where
 * there are no more than that.
 */
export function subsetOf<S>(
  servers: readonly S[],
  addressOf: (server: S) => string,
  self: string,
  clients: readonly string[],
  size: number,
): readonly S[] {
  if (servers.length <= size) return servers;
  const place = Math.max(0, inOrder(clients, (address) => address).indexOf(self));
  // Addresses that lie close together must not have neighbours in common on both rings.
  const ring = inOrder(servers, addressOf);
  const first = Math.floor((place * ring.length) / Math.max(1, clients.length));
  return Array.from({ length: size }, (_, i) => ring[(first + i) % ring.length]!);
}

function inOrder<T>(things: readonly T[], addressOf: (thing: T) => string): readonly T[] {
  return things
    .map((thing) => ({ thing, address: addressOf(thing), hash: hash32(addressOf(thing)) }))
    .sort((a, b) => a.hash - b.hash || (a.address < b.address ? -1 : 1))
    .map(({ thing }) => thing);
}
