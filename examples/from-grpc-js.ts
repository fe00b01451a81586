/** A service of @grpc/grpc-js, moved onto the mesh: definition and handlers stay as they are. */
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import { client, createMesh, service } from "blip-mesh";
import { unary } from "./definition.ts";

interface Order {
  readonly item: string;
}
interface Price {
  readonly cents: number;
}

// What was there before: a ServiceDefinition and its implementation.
const PriceService = { quote: unary<Order, Price>("/examples.Prices/Quote") };
const quote: handleUnaryCall<Order, Price> = (call, answer) =>
  answer(null, { cents: call.request.item.length * 100 });

const before = new Server();
before.addService(PriceService, { quote });
await new Promise((resolve) => before.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), resolve));
before.forceShutdown();

// After: no address of a server is configured anywhere any more.
const mesh = await createMesh({ listen: "127.0.0.1:0", services: [service(PriceService, { quote })] });
const shop = await createMesh({ listen: "127.0.0.1:0", seeds: [mesh.localAddress] });
console.log(await client(shop, PriceService).quote({ item: "lamp" }));
await mesh.leave({ timeoutMs: 2000 });
await shop.close();
