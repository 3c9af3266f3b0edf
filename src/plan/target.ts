import { formatDuration } from '../core/quantities.js';
import { redactUrl } from '../core/secrets.js';
import type { Colour } from '../core/stop.js';
import type { Profile } from '../profile/sections/schema.js';

type Target = Profile['target'];

/** The system under test as a plan shows it, without secrets. */
export interface PlannedTarget {
  /** With colours it names both: which one is loaded is known when the live one is looked up. */
  readonly url: string;
  /** A full URL; with colours a path of whichever is loaded. */
  readonly health?: string;
  readonly colours?: Readonly<Record<Colour, string>>;
  /** How the live colour is looked up, in words. */
  readonly live?: string;
}

/** Where the load and the probes go. */
export interface LoadTarget {
  readonly url: string;
  /** A full URL. */
  readonly health?: string;
  /** Behind colours: the one that this is, and the other one, which nobody may load. */
  readonly colour?: { readonly loaded: Colour; readonly live: Colour; readonly liveUrl: string };
}

/** What a plan says of the target. */
export function plannedTarget(target: Target): PlannedTarget {
  const { colours, live, health } = target;
  if (colours === undefined) return shownTarget(loadTarget(target));
  const [blue, green] = [redactUrl(colours.blue), redactUrl(colours.green)];
  return {
    url: `${blue} or ${green}`,
    ...(health === undefined ? {} : { health }),
    colours: { blue, green },
    ...(live === undefined ? {} : { live: lookUpInWords(live) }),
  };
}

/** Where the load goes, with credentials; behind colours, to the one that is not `live`. */
export function loadTarget({ url = '', health, colours }: Target, live?: Colour): LoadTarget {
  if (colours === undefined || live === undefined) return placed(url, health);
  const loaded = live === 'blue' ? 'green' : 'blue';
  return { ...placed(colours[loaded], health), colour: { loaded, live, liveUrl: colours[live] } };
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
function placed(url: string, health: string | undefined): LoadTarget {
  if (health === undefined) return { url };
  return { url, health: health.startsWith('/') ? `${url.replace(/[?#].*$/s, '').replace(/\/+$/, '')}${health}` : health };
}

function lookUpInWords({ url, header, command, every }: NonNullable<Target['live']>): string {
  const where = header === undefined ? 'its JSON' : `the header ${header}`;
  const how = url === undefined ? `what \`${command ?? ''}\` prints` : `GET ${redactUrl(url)}, ${where}`;
  return `${how}; again every ${formatDuration(every)} while the load is on`;
}
