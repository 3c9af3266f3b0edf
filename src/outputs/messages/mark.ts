import type { LoggedEvent } from '../../core/events.js';

/** What a graph is marked with at this event, in words. */
export function markOf(event: LoggedEvent): string | undefined {
  switch (event.type) {
    case 'fleet-released':
      return 'the load begins';
    case 'load-ended':
      return 'the load is over';
    case 'fleet-stopped':
      return 'the load is being stopped before its time';
    case 'limit-breached':
      return `${event.limit.name} is broken`;
    case 'limit-recovered':
      return event.over ? `${event.limit.name} was broken to the end` : `${event.limit.name} holds again`;
    case 'runner-lost':
      return `runner ${event.runner} was lost`;
    default:
      return undefined;
  }
}
