/** Figures from repeated runs, as they are shown: the median with its range, and ratios of medians. */

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return undefined;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `7.52 (7.31–8.60)`, or a dash where there is nothing to show. */
export function spread(values: readonly number[]): string {
  const middle = median(values);
  if (middle === undefined) return "–";
  if (values.length === 1) return figure(middle);
  return `${figure(middle)} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`;
}

/** How many times as much, by the medians; a dash where that says nothing. */
export function ratio(values: readonly number[], base: readonly number[]): string {
  const [above, below] = [median(values), median(base)];
  return above === undefined || below === undefined || below === 0 ? "–" : figure(above / below);
}

/** Three digits that count. */
function figure(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}
