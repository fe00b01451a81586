/** Which kinds of members can be measured on this machine. */
import { buildPeer, missingTool } from "../interop/rust-peer.ts";
import type { MemberKind } from "../test/member-process.ts";

/** Without the Rust members the Node members are measured alone, and this says so. */
export function availableKinds(): readonly MemberKind[] {
  const missing = missingTool();
  if (missing === undefined && buildPeer()) return ["node", "rust"];
  process.stderr.write(`without Rust members: ${missing ?? "the peer could not be built, see above"}\n`);
  return ["node"];
}
