/**
 * Bars of an hour, as SVG made here. A chart is a picture with a sentence for those who do not see it; the figures stand
 * in a table beside it.
 * @module
 */
import { formatCount } from "../units.ts";

const [width, height, gap] = [300, 64, 1];
/** A minute each. */
const slots = 60;

export interface Bars {
  readonly title: string;
  readonly mood: "good" | "warn" | "bad" | "idle";
  /** The oldest first. */
  readonly values: readonly number[];
  /** What one value is, such as "per minute"; and the sum over the hour, where that means something. */
  readonly unit: string;
  readonly total?: number;
}

export function Chart({ title, mood, values, unit, total }: Bars) {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const now = values.at(-1) ?? 0;
  const step = width / slots;
  const path = values.slice(-slots).map((value, at, shown) => {
    if (value === 0) return "";
    // One in a thousand should still be seen.
    const tall = Math.max(2, (value / most) * height);
    // Where there are fewer values, those that are missing are the oldest.
    const [x, y] = [round((at + slots - shown.length) * step), round(height - tall)];
    return `M${x} ${height}V${y}H${round(x + step - gap)}V${height}z`;
  }).join("");
  const words = `${title}: ${formatCount(now)} ${unit} now, ${formatCount(most)} at the most in the last hour`;
  return (
    <figure class={`chart ${mood}`}>
      <figcaption>
        <span class="name">{title}</span>
        <span class="value">{formatCount(now)}</span>
        <span class="quiet">
          {unit}
          {total === undefined ? "" : `, ${formatCount(total)} in the hour`}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={words}>
        <path class="ground" d={`M0 ${height - 0.5}H${width}`} />
        <path class="bars" d={path} />
      </svg>
    </figure>
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
