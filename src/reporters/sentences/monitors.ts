import { formatDuration } from '../../core/quantities.js';
import { placeText, storePlaces } from '../../plan/hosts.js';
import { monitorPlaces, type PlannedMonitor } from '../../plan/monitors.js';

/** A monitor of a plan: `db: postgres, store db (127.0.0.1:5432), every 1s`. */
export function monitorInWords(monitor: PlannedMonitor): string {
  const { name, kind, every, required, of } = monitor;
  const store = 'store' in monitor && monitor.store !== undefined ? `store ${monitor.store}` : undefined;
  const places = (of === undefined ? monitorPlaces(monitor) : storePlaces(of)).map(placeText);
  const where = [store, ...(places.length === 0 ? ownPlaces(monitor) : [places.join(', ')])].filter((part) => part !== undefined);
  return `${name}: ${kind}, ${where.join(' on ')}, every ${formatDuration(every)}${required ? '' : ', not required'}`;
}

function ownPlaces(monitor: PlannedMonitor): string[] {
  if (monitor.kind !== 'host') return [];
  if (monitor.cgroup !== undefined) return [`control group ${monitor.cgroup.join(', ')}`];
  return [
    monitor.places === undefined ? 'this machine' : `processes of ${[...new Set(monitor.places.map(({ name }) => name))].join(', ')}`,
  ];
}
