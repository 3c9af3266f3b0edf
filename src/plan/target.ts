import type { JsonPath } from '../core/json-path.js';
import type { Milliseconds } from '../core/quantities.js';
import { redactUrl, type Whole } from '../core/secrets.js';
import type { Colour } from '../core/stop.js';
import type { Profile } from '../profile/sections/schema.js';

type Target = Profile['target'];

/** The system under test: one URL, or two colours of which only the one that is not live is loaded. */
export type PlannedTarget =
  | {
      readonly url: string;
      /** A full URL. */
      readonly health?: string;
    }
  | {
      readonly colours: Readonly<Record<Colour, string>>;
      /** A path of whichever is loaded. */
      readonly health?: string;
      readonly live: LiveLookUp;
    };

/** How the live colour is looked up: in the JSON or a header of what a URL answers, or in what a command prints. */
export interface LiveLookUp {
  readonly url?: string;
  readonly jsonPath?: JsonPath;
  readonly header?: string;
  readonly command?: string;
  /** How often it is looked up again while the load is on. */
  readonly every: Milliseconds;
}

/** Where the load and the probes go. */
export interface LoadTarget {
  readonly url: string;
  /** A full URL. */
  readonly health?: string;
  /** Behind colours: the one that this is, and the other one, which nobody may load. */
  readonly colour?: { readonly loaded: Colour; readonly live: Colour; readonly liveUrl: string };
}

/** What a profile says of the target. */
export function plannedTarget({ url = '', health, colours, live }: Target): PlannedTarget {
  if (colours === undefined || live === undefined) return placed(url, health);
  return { colours, ...(health === undefined ? {} : { health }), live };
}

/** The same without credentials in its URLs, whoever wrote them there. */
export function withoutCredentials(target: Target): Target {
  const { url, health, colours, live } = target;
  return {
    ...target,
    ...(url === undefined ? {} : { url: redactUrl(url) }),
    ...(health === undefined ? {} : { health: redactUrl(health) }),
    ...(colours === undefined ? {} : { colours: { blue: redactUrl(colours.blue), green: redactUrl(colours.green) } }),
    ...(live?.url === undefined ? {} : { live: { ...live, url: redactUrl(live.url) } }),
  };
}

/** Where the load goes, with credentials; behind colours, to the one that is not `live`. */
export function loadTarget({ target }: Whole<{ readonly target: PlannedTarget }>, live?: Colour): LoadTarget {
  if (!('colours' in target)) return target;
  if (live === undefined) return { url: '' };
  const loaded = live === 'blue' ? 'green' : 'blue';
  return { ...placed(target.colours[loaded], target.health), colour: { loaded, live, liveUrl: target.colours[live] } };
}

/** The same without its secrets. */
export function shownTarget({ url, health, colour }: LoadTarget): LoadTarget {
  return {
    url: redactUrl(url),
    ...(health === undefined ? {} : { health: redactUrl(health) }),
    ...(colour === undefined ? {} : { colour: { ...colour, liveUrl: redactUrl(colour.liveUrl) } }),
  };
}

/** A path is added to the target's own path: `/healthz` of `http://host/api` is `http://host/api/healthz`. */
function placed(url: string, health: string | undefined): { readonly url: string; readonly health?: string } {
  if (health === undefined) return { url };
  if (health === 'tcp:') return { url, health: tcpUrl(url) };
  return { url, health: health.startsWith('/') ? `${url.replace(/[?#].*$/s, '').replace(/\/+$/, '')}${health}` : health };
}

/** The host and port of a URL, as one to connect to. */
function tcpUrl(url: string): string {
  if (!URL.canParse(url)) return 'tcp:';
  const { protocol, hostname, port } = new URL(url);
  return `tcp://${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}
