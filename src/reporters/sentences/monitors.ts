import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import { lateness } from '../../metrics/servers/values.js';
import { wholePeriods } from '../../metrics/servers/window.js';
import { placeText, storePlaces } from '../../plan/hosts.js';
import { monitorPlaces, type PlannedMonitor } from '../../plan/monitors.js';

/** A monitor of a plan: `db: postgres, store db (127.0.0.1:5432), every 1s`; the judged window where it is known. */
export function monitorInWords(monitor: PlannedMonitor, windowMs: Milliseconds | undefined): string {
  const { name, kind, every, required, of } = monitor;
  const store = 'store' in monitor && monitor.store !== undefined ? `store ${monitor.store}` : undefined;
  const places = (of === undefined ? monitorPlaces(monitor) : storePlaces(of)).map(placeText);
  const where = [store ?? watchedInCloud(monitor), ...(places.length === 0 ? ownPlaces(monitor) : [places.join(', ')])];
  const points = kind === 'cloudwatch' ? pointsInWords(windowMs) : '';
  const on = where.filter((part) => part !== undefined).join(' on ');
  return `${name}: ${kind}, ${on}, every ${formatDuration(every)}${points}${required ? '' : ', not required'}`;
}

function watchedInCloud(monitor: PlannedMonitor): string | undefined {
  return monitor.kind === 'cloudwatch' ? (monitor.instance ?? monitor.cluster ?? []).join(', ') : undefined;
}

/** How many of its points a run gets. */
function pointsInWords(windowMs: Milliseconds | undefined): string {
  if (windowMs === undefined) return ', a point a minute';
  return `, a point a minute: ${pointsText(wholePeriods(windowMs, lateness.cloudwatch.periodMs))} in the judged window`;
}

/** `9 or 10` */
export function pointsText({ least, most }: ReturnType<typeof wholePeriods>): string {
  return least === most ? String(most) : `${least} or ${most}`;
}

function ownPlaces(monitor: PlannedMonitor): string[] {
  if (monitor.kind !== 'host') return [];
  if (monitor.cgroup !== undefined) return [`control group ${monitor.cgroup.join(', ')}`];
  return [
    monitor.places === undefined ? 'this machine' : `processes of ${[...new Set(monitor.places.map(({ name }) => name))].join(', ')}`,
  ];
}
