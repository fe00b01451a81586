// To be preloaded before tsx by the process of one mutant, which finds it in its environment: its hook stands below tsx's
// and so sees the file as it was written.

import { register } from "node:module";

register("./hook.mjs", import.meta.url, { data: JSON.parse(process.env.BLIP_MUTANT ?? "null") });
