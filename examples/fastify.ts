/** A Fastify app beside the mesh: HTTP for browsers on one port, the mesh on another, both ended in the right order. */
import { client, createMesh, service } from "blip-mesh";
import Fastify from "fastify";
import { unary } from "./definition.ts";

const Weather = { now: unary<{ city: string }, { text: string }>("/examples.Weather/Now") };

const backend = await createMesh({
  listen: "127.0.0.1:0",
  services: [
    service(Weather, { now: (call, answer) => answer(null, { text: `sun over ${call.request.city}` }) }),
  ],
});
const mesh = await createMesh({ listen: "127.0.0.1:0", seeds: [backend.localAddress] });

const weather = client(mesh, Weather);
const app = Fastify();
app.get<{ Params: { city: string } }>("/weather/:city", ({ params }) => weather.now({ city: params.city }));
app.get("/members", () => mesh.cut.members.map(({ address }) => address));
// First no more requests from browsers, then the mesh that they need.
app.addHook("onClose", () => mesh.leave().then(() => {}));

const at = await app.listen({ host: "127.0.0.1", port: 0 });
console.log(await (await fetch(`${at}/weather/Rome`)).json());
console.log(((await (await fetch(`${at}/members`)).json()) as string[]).length, "members");
await app.close();
await backend.leave({ timeoutMs: 2000 });
