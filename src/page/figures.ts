import uPlot from 'uplot';
import type { ChartData, PageData } from '../reports/result/chart-data.js';
import { byKeys } from './keys.js';
import { alignedData, optionsOf } from './options.js';
import { type Member, type Together, together } from './together.js';
import { columnText, placeText } from './value-text.js';

const height = 220;

/** Draws the charts of a page, each in place of its drawing; what is folded away when it is unfolded. */
export function drawFigures(page: Document, data: PageData): void {
  const charts = new Map(data.charts.map((chart) => [chart.id, chart]));
  const over = together(data.endSeconds);
  const redraws: (() => void)[] = [];
  for (const figure of page.querySelectorAll<HTMLElement>('figure[data-chart]')) {
    const chart = charts.get(figure.dataset.chart ?? '');
    if (chart === undefined || chart.x.length === 0) continue;
    const draw = () => redraws.push(drawFigure(figure, chart, data, over));
    const folded = figure.closest('details:not([open])');
    if (folded === null) draw();
    else folded.addEventListener('toggle', draw, { once: true });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const redraw of redraws) redraw();
  });
}

function drawFigure(figure: HTMLElement, chart: ChartData, data: PageData, over: Together): () => void {
  const frame = frameOf(figure, chart);
  const size = () => ({ width: Math.max(200, frame.plot.clientWidth), height });
  figure.classList.add('live');
  const plot = new uPlot(optionsOf(chart, size(), data.spans), alignedData(chart), frame.plot);
  if (chart.over === 'time') plot.setScale('x', { min: over.span.from, max: over.span.to });
  const say = (index: number | null | undefined) => {
    const text = index === null || index === undefined ? '' : columnText(chart, index, data.spans);
    frame.said.textContent = text;
    frame.plot.setAttribute('aria-valuenow', String(index ?? 0));
    frame.plot.setAttribute('aria-valuetext', text || 'no column chosen');
  };
  const place = (index: number) => plot.valToPos(chart.x[index] ?? 0, 'x');
  const member: Member = {
    point: (seconds) => plot.setCursor({ left: seconds === undefined ? -10 : plot.valToPos(seconds, 'x'), top: 0 }, true),
    zoom: (min, max) => plot.setScale('x', { min, max }),
  };
  plot.hooks.setCursor = [
    () => {
      const index = plot.cursor.idx ?? undefined;
      say(index);
      if (chart.over === 'time') over.pointed(member, index === undefined ? undefined : chart.x[index]);
    },
  ];
  plot.hooks.setScale = [
    (_, key) => {
      const { min, max } = plot.scales.x ?? {};
      if (key !== 'x' || chart.over !== 'time' || typeof min !== 'number' || typeof max !== 'number') return;
      frame.plot.dataset.shows = `${placeText(chart, min)}–${placeText(chart, max)}`;
      over.zoomed(member, min, max);
    },
  ];
  if (chart.over === 'time') over.add(member);
  const showAll = () => plot.setScale('x', { min: 0, max: data.endSeconds });
  frame.all.addEventListener('click', showAll);
  byKeys(frame.plot, {
    columns: chart.x.length,
    at: () => plot.cursor.idx ?? undefined,
    go: (index) => plot.setCursor({ left: place(index), top: 0 }, true),
    zoom: (factor) => zoomBy(plot, chart, factor, data.endSeconds),
    showAll,
  });
  new ResizeObserver(() => plot.setSize(size())).observe(frame.plot);
  say(undefined);
  return () => plot.redraw(false, true);
}

/** Around the crosshair, or around the middle; never beyond the load. */
function zoomBy(plot: uPlot, chart: ChartData, factor: number, endSeconds: number): void {
  const { min, max } = plot.scales.x ?? {};
  if (chart.over !== 'time' || typeof min !== 'number' || typeof max !== 'number') return;
  const middle = chart.x[plot.cursor.idx ?? -1] ?? (min + max) / 2;
  const half = ((max - min) * factor) / 2;
  plot.setScale('x', { min: Math.max(0, middle - half), max: Math.min(endSeconds, middle + half) });
}

/** The room of a chart: it is moved in like a slider, which says where it is and what is there. */
function frameOf(figure: HTMLElement, chart: ChartData): { plot: HTMLElement; said: HTMLElement; all: HTMLElement } {
  const page = figure.ownerDocument;
  const make = (name: string, className: string) => {
    const made = page.createElement(name);
    made.className = className;
    return made;
  };
  const [plot, said, all] = [make('div', 'plot'), make('p', 'said'), make('button', 'all')];
  const attributes = {
    role: 'slider',
    tabindex: '0',
    'aria-valuemin': '0',
    'aria-valuemax': String(chart.x.length - 1),
    'aria-valuenow': '0',
  };
  for (const [name, value] of Object.entries(attributes)) plot.setAttribute(name, value);
  plot.setAttribute('aria-label', `${chart.title}: arrow keys move the crosshair, + and − zoom, Escape shows all`);
  all.textContent = 'Show all';
  said.setAttribute('aria-hidden', 'true');
  figure.querySelector('figcaption')?.after(plot, said, ...(chart.over === 'time' ? [all] : []));
  return { plot, said, all };
}
