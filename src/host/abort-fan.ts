// Many who wait by one signal. Node takes more than ten listeners of one signal for a leak, and says so to the user; but
// to make a hundred calls by the signal of one request is what signals are for.

interface Fan {
  readonly waiting: Set<() => void>;
  readonly abort: () => void;
}

const fans = new WeakMap<AbortSignal, Fan>();

/** Has `stop` called when the signal is aborted, until the answer is called. */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  const { waiting, abort } = fans.get(signal) ?? open(signal);
  waiting.add(stop);
  return () => {
    waiting.delete(stop);
    if (waiting.size > 0 || !fans.has(signal)) return;
    fans.delete(signal);
    signal.removeEventListener("abort", abort);
  };
}

function open(signal: AbortSignal): Fan {
  const waiting = new Set<() => void>();
  const abort = (): void => {
    fans.delete(signal);
    for (const stop of waiting) stop();
  };
  signal.addEventListener("abort", abort, { once: true });
  const fan = { waiting, abort };
  fans.set(signal, fan);
  return fan;
}
