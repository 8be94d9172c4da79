/**
 * Line plots as SVG that we draw ourselves: axes with units, ticks, lines, a legend. Colours come from the page's style
 * sheet, so that a plot is readable in the dark as well.
 * @module
 */
import { escapeHtml } from "./escape.ts";
import { formatTick, type Scale, scaleFor, type Spread } from "./scale.ts";

export interface Axis {
  /** What it shows, with its unit. */
  readonly label: string;
  readonly spread: Spread;
}

export interface Series {
  /** For the legend, in which lines of one name share a place and dashed ones alone have none. */
  readonly name: string;
  /** Which of the page's colours. */
  readonly colour: number;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** Lines and names can have so many colours before they begin anew. */
export const colours = 6;

const size = { width: 560, height: 280 };
const frame = { left: 62, right: 540, top: 40, bottom: 222 };
const legendTop = 262;
const legendWidth = 120;
/** So few points are marked, for a line through them says more than was measured. */
const mostDots = 12;

/** A plot as an `svg` element. */
export function drawPlot({ title, x, y, series }: Plot): string {
  const points = series.flatMap((one) => one.points);
  const across = scaleFor(points.map(([at]) => at), x.spread);
  const up = scaleFor(points.map(([, value]) => value), y.spread);
  const name = escapeHtml(title);
  return [
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${name}">`,
    `<text class="title" x="${frame.left}" y="13">${name}</text>`,
    ...across.ticks.map((tick) => verticalTick(tick, across)),
    ...up.ticks.map((tick) => horizontalTick(tick, up)),
    text((frame.left + frame.right) / 2, frame.bottom + 30, "middle", x.label),
    text(frame.left, frame.top - 8, "start", y.label),
    ...series.map((one) => drawSeries(one, across, up)),
    ...drawLegend(series),
    "</svg>",
  ].join("\n");
}

function verticalTick(tick: number, scale: Scale): string {
  const at = xAt(scale, tick);
  return `<path class="grid" d="M${at} ${frame.top}V${frame.bottom}"/>` +
    text(at, frame.bottom + 14, "middle", formatTick(tick));
}

function horizontalTick(tick: number, scale: Scale): string {
  const at = yAt(scale, tick);
  return `<path class="grid" d="M${frame.left} ${at}H${frame.right}"/>` +
    text(frame.left - 6, at + 4, "end", formatTick(tick));
}

function drawSeries({ points, colour, dashed }: Series, across: Scale, up: Scale): string {
  if (points.length === 0) return "";
  const places = points.map(([x, y]) => `${xAt(across, x)} ${yAt(up, y)}`);
  const kind = `line c${colour % colours}${dashed === true ? " dashed" : ""}`;
  const dots = points.length > mostDots ? "" : places.map((place) => `M${place}h0`).join("");
  return `<path class="${kind}" d="M${places.join("L")}"/>` +
    (dots === "" ? "" : `<path class="dots c${colour % colours}" d="${dots}"/>`);
}

function drawLegend(series: readonly Series[]): string[] {
  const solid = series.filter(({ dashed }) => dashed !== true);
  const named = [...new Map(solid.map((one) => [one.name, one])).values()];
  const fits = Math.max(Math.floor((frame.right - frame.left) / Math.max(named.length, 1)), legendWidth);
  return named.map(({ name, colour }, at) => {
    const left = frame.left + at * fits;
    return `<path class="line c${colour % colours}" d="M${left} ${legendTop}h18"/>${
      text(left + 24, legendTop + 4, "start", name)
    }`;
  });
}

function text(x: number, y: number, anchor: "start" | "middle" | "end", content: string): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escapeHtml(content)}</text>`;
}

function xAt(scale: Scale, value: number): number {
  return tenth(frame.left + scale.place(value) * (frame.right - frame.left));
}

function yAt(scale: Scale, value: number): number {
  return tenth(frame.bottom - scale.place(value) * (frame.bottom - frame.top));
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
