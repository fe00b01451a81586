// Module hooks: the text of one file of the core is replaced while it is loaded, everything else is left alone.

/** @type {{ readonly file: string, readonly text: string } | null} */
let changed = null;

/** @param {typeof changed} data */
export function initialize(data) {
  changed = data;
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (changed === null || !new URL(url).pathname.endsWith(`/src/core/${changed.file}`)) return loaded;
  return { ...loaded, source: changed.text };
}
