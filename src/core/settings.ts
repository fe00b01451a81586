// Every number a member goes by, with its default and its bounds. Those in CutDetectorSettings must be equal on
// all members of a mesh; the others are each member's own.

export interface CutDetectorSettings {
  /** K: rings, and so observers per subject. */
  readonly observers: number;
  /** H: reports (one per ring) at which a subject is certainly to be added or removed. */
  readonly high: number;
  /** L: reports from which a subject is unstable and holds back every proposal. */
  readonly low: number;
}

export interface Settings {
  readonly cutDetector: CutDetectorSettings;
  /** How often each subject is probed, and how long its answer may take. */
  readonly faultTimeoutMs: number;
  /** Probes in a row that must fail before a subject is reported. */
  readonly faultStrikes: number;
}

export const DEFAULT_SETTINGS: Settings = {
  cutDetector: { observers: 10, high: 9, low: 4 },
  faultTimeoutMs: 2000,
  faultStrikes: 3,
};

/** The crate's `low_latency()`: for short links only. */
export const LOW_LATENCY: Pick<Settings, "faultTimeoutMs" | "faultStrikes"> = {
  faultTimeoutMs: 150,
  faultStrikes: 2,
};

/** Rings are kept as bits of one small integer. */
const OBSERVERS_MAX = 30;

/** The first reason why these settings cannot work, as `field: what is wrong`, or `undefined`. */
export function faultIn(settings: Settings): string | undefined {
  const { observers, high, low } = settings.cutDetector;
  if (!isWhole(observers, 1, OBSERVERS_MAX)) {
    return `cutDetector.observers: expected a whole number from 1 to ${OBSERVERS_MAX}, got ${observers}`;
  }
  if (!isWhole(high, 1, observers)) {
    return `cutDetector.high: expected a whole number from 1 to observers (${observers}), got ${high}`;
  }
  if (!isWhole(low, 1, high)) {
    return `cutDetector.low: expected a whole number from 1 to high (${high}), got ${low}`;
  }
  if (!isWhole(settings.faultTimeoutMs, 10, 3_600_000)) {
    return `faultTimeoutMs: expected whole milliseconds from 10 to 3600000, got ${settings.faultTimeoutMs}`;
  }
  if (!isWhole(settings.faultStrikes, 1, 1000)) {
    return `faultStrikes: expected a whole number from 1 to 1000, got ${settings.faultStrikes}`;
  }
  return undefined;
}

function isWhole(value: number, from: number, to: number): boolean {
  return Number.isInteger(value) && value >= from && value <= to;
}
