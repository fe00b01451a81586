/** Draws a chart as SVG: dots or lines over two axes, with a legend. No more than the experiments need. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Dots alone, dots joined by a line, or a line alone. */
  readonly style: "dots" | "joined" | "line";
  /** Ours are drawn in full colours, those that we compare with in grey. */
  readonly isOurs: boolean;
}

export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Where the y axis begins; the least value where it is absent. */
  readonly from?: number;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 380;
const MARGIN = { left: 64, right: 190, top: 40, bottom: 48 };
const OURS = ["#c2410c", "#0369a1", "#15803d", "#7e22ce"];
const THEIRS = ["#475569", "#94a3b8", "#1e293b", "#cbd5e1"];
const TICKS = 6;

export function draw({ title, x, y, from, series }: Chart): string {
  const points = series.flatMap((one) => one.points);
  const xs = axis(points.map(([value]) => value));
  const ys = axis([...points.map(([, value]) => value), ...(from === undefined ? [] : [from])]);
  const width = WIDTH - MARGIN.left - MARGIN.right;
  const height = HEIGHT - MARGIN.top - MARGIN.bottom;
  const across = (value: number): string =>
    (MARGIN.left + (width * (value - xs.least)) / (xs.most - xs.least)).toFixed(1);
  const up = (value: number): string =>
    (MARGIN.top + height - (height * (value - ys.least)) / (ys.most - ys.least)).toFixed(1);
  const bottom = MARGIN.top + height;
  const parts = [
    text(WIDTH / 2, 22, title, 'text-anchor="middle" font-weight="bold" font-size="14"'),
    text(MARGIN.left + width / 2, HEIGHT - 10, x, 'text-anchor="middle"'),
    text(0, 0, y, `text-anchor="middle" transform="translate(16 ${MARGIN.top + height / 2}) rotate(-90)"`),
    ...xs.ticks.flatMap((tick) => [
      `<path d="M${across(tick)} ${bottom}v5" stroke="#334155"/>`,
      text(Number(across(tick)), bottom + 19, label(tick), 'text-anchor="middle"'),
    ]),
    ...ys.ticks.flatMap((tick) => [
      `<path d="M${MARGIN.left} ${up(tick)}h${width}" stroke="#e2e8f0"/>`,
      text(MARGIN.left - 7, Number(up(tick)) + 4, label(tick), 'text-anchor="end"'),
    ]),
    `<path d="M${MARGIN.left} ${MARGIN.top}v${height}h${width}" fill="none" stroke="#334155"/>`,
  ];
  const colours = { ours: 0, theirs: 0 };
  for (const [i, { name, points, style, isOurs }] of series.entries()) {
    const colour = isOurs ? OURS[colours.ours++ % OURS.length] : THEIRS[colours.theirs++ % THEIRS.length];
    const path = points.map(([a, b], at) => `${at === 0 ? "M" : "L"}${across(a)} ${up(b)}`).join("");
    if (style !== "dots") parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>`);
    if (style !== "line") {
      const dots = points.map(([a, b]) => `<circle cx="${across(a)}" cy="${up(b)}" r="3"/>`).join("");
      parts.push(`<g fill="${colour}">${dots}</g>`);
    }
    const top = MARGIN.top + 8 + 20 * i;
    const left = WIDTH - MARGIN.right + 16;
    parts.push(
      style === "line"
        ? `<path d="M${left - 5} ${top}h10" stroke="${colour}" stroke-width="2"/>`
        : `<circle cx="${left}" cy="${top}" r="4" fill="${colour}"/>`,
      text(left + 11, top + 4, name),
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#0f172a" role="img" aria-label="${escaped(title)}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

interface Axis {
  readonly least: number;
  readonly most: number;
  readonly ticks: readonly number[];
}

/** Ticks at round numbers, from the one below the least value to the one above the greatest. */
function axis(values: readonly number[]): Axis {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const rough = (most - least || 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
  const first = Math.floor(least / step);
  const last = Math.max(Math.ceil(most / step), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { least: first * step, most: last * step, ticks };
}

function label(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${x}" y="${y}" ${more}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
