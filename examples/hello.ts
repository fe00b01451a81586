/** Three members that greet: calls spread over all of them, and go on when one has left. */
import { client, createMesh, service } from "blip-mesh";
import { unary } from "./definition.ts";

const Greeter = { hello: unary<{ name: string }, { text: string }>("/examples.Greeter/Hello") };

const start = (name: string, seeds: string[]) =>
  createMesh({
    listen: "127.0.0.1:0",
    seeds,
    services: [
      service(Greeter, {
        hello: (call, answer) => answer(null, { text: `hello ${call.request.name}, from ${name}` }),
      }),
    ],
  });

const a = await start("a", []);
const b = await start("b", [a.localAddress]);
const c = await start("c", [a.localAddress]);
await Promise.all([a, b, c].map((mesh) => mesh.waitFor((cut) => cut.members.length === 3)));

const greeter = client(a, Greeter);
for (let i = 0; i < 3; i++) console.log((await greeter.hello({ name: "Ada" })).text);

await c.leave();
for (let i = 0; i < 3; i++) console.log((await greeter.hello({ name: "Bob" })).text);
await b.leave();
await a.leave();
