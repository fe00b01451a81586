/** Streams from every member at once, merged as they come: a search over all shards. */
import { client, createMesh, service } from "blip-mesh";
import { serverStream } from "./definition.ts";

const Search = { find: serverStream<{ word: string }, { line: string }>("/examples.Search/Find") };

const start = (lines: string[], seeds: string[]) =>
  createMesh({
    listen: "127.0.0.1:0",
    seeds,
    services: [
      service(Search, {
        find: (call) => {
          for (const line of lines.filter((text) => text.includes(call.request.word))) call.write({ line });
          call.end();
        },
      }),
    ],
  });

const a = await start(["the sea is calm", "a calm night"], []);
const b = await start(["the sea is rough"], [a.localAddress]);
const c = await start(["no water at all", "sea and sky"], [a.localAddress]);
await a.waitFor((cut) => cut.members.length === 3);

const found: string[] = [];
const search = client(a, Search);
await Promise.all(
  a.cut.withMeta("examples.Search").map(async ([member]) => {
    for await (const { line } of search.on(member).find({ word: "sea" })) found.push(line);
  }),
);
console.log(found.sort().join("\n"));
for (const mesh of [c, b, a]) await mesh.leave();
