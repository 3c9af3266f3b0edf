import type uPlot from 'uplot';
import type { ChartData, SpanData } from '../reports/result/chart-data.js';
import { colour } from './style-of.js';

/** Behind the lines: what is not judged, and while which limits were broken; moments as lines from top to bottom. Each has its name where there is room. */
export function paintSpans(plot: uPlot, spans: readonly SpanData[]): void {
  const { ctx, bbox } = plot;
  const line = 11 * devicePixelRatio;
  within(plot, () => {
    ctx.font = `${line}px system-ui, sans-serif`;
    ctx.textAlign = 'left';
    for (const { kind, from, to, text } of spans) {
      const [left, right] = [from, to].map((seconds) => plot.valToPos(seconds, 'x', true)) as [number, number];
      ctx.globalAlpha = kind === 'moment' ? 1 : 0.13;
      ctx.fillStyle = colour(kind === 'ramp' ? '--faint' : '--bad');
      ctx.fillRect(left, bbox.top, kind === 'moment' ? 2 : right - left, bbox.height);
      ctx.globalAlpha = 1;
      const begin = Math.max(left, bbox.left) + 4;
      // Both stand at the foot, one above the other: limits have their names further up.
      const end = Math.min(kind === 'moment' ? Number.POSITIVE_INFINITY : right, bbox.left + bbox.width);
      if (ctx.measureText(text).width < end - begin)
        ctx.fillText(text, begin, bbox.top + bbox.height - 4 - (kind === 'ramp' ? line + 2 : 0));
    }
  });
}

/** Every column's requests, darker where there are more. */
export function paintHeat(plot: uPlot, { x, heat }: ChartData): void {
  if (heat === undefined) return;
  const { ctx } = plot;
  const most = Math.max(1, ...heat.counts.map((counts) => Math.max(0, ...counts)));
  within(plot, () => {
    ctx.fillStyle = colour('--one');
    heat.counts.forEach((counts, column) => {
      const [left, right] = [x[column - 1] ?? 0, x[column] ?? 0].map((seconds) => plot.valToPos(seconds, 'x', true)) as [number, number];
      counts.forEach((count, band) => {
        if (count === 0) return;
        const [foot, top] = [heat.edges[band] ?? 0, heat.edges[band + 1] ?? 0].map((ms) => plot.valToPos(ms, 'y', true)) as [
          number,
          number,
        ];
        ctx.globalAlpha = 0.12 + (0.78 * Math.log1p(count)) / Math.log1p(most);
        ctx.fillRect(left, top, Math.max(1, right - left), Math.max(1, foot - top));
      });
    });
  });
}

/** Limits from side to side, with their names; one far above all values is not in the picture. */
export function paintLimits(plot: uPlot, { limits, over }: ChartData): void {
  const { ctx, bbox } = plot;
  within(plot, () => {
    ctx.strokeStyle = ctx.fillStyle = colour('--bad');
    ctx.lineWidth = 1.5;
    ctx.setLineDash([8, 4]);
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'left';
    for (const { label, value } of limits) {
      const at = plot.valToPos(value, over === 'time' ? 'y' : 'x', true);
      ctx.beginPath();
      if (over === 'time') {
        ctx.moveTo(bbox.left, at);
        ctx.lineTo(bbox.left + bbox.width, at);
        ctx.fillText(label, bbox.left + 6, at - 4);
      } else {
        ctx.moveTo(at, bbox.top);
        ctx.lineTo(at, bbox.top + bbox.height);
        ctx.fillText(label, at + 4, bbox.top + 14);
      }
      ctx.stroke();
    }
  });
}

function within({ ctx, bbox }: uPlot, paint: () => void): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint();
  ctx.restore();
}
