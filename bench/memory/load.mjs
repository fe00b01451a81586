// Loads what it is told to, says so, and does nothing until its stdin ends.

const http2 = ["node:http2"];
const grpc = [...http2, "@grpc/grpc-js"];
const protobuf = [...grpc, "@bufbuild/protobuf"];
const stages = { node: [], http2, "grpc-js": grpc, protobuf, blip: [...protobuf, "blip-mesh"] };

for (const name of stages[process.argv[2]]) await import(name);
process.stdout.write("loaded\n");
process.stdin.resume();
