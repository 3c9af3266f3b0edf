import type { Greeter } from '../servers/grpc-greeter.js';
import type { WebSite } from '../servers/web-site.js';

/** What a form's variables are made from. */
export interface Servers {
  readonly site: WebSite;
  readonly greeter: Greeter;
  /** Where the certificates are: `client.pem`, `client.key`. */
  readonly certificates: string;
}

/** A script in somebody else's manner: what one k6 ends it with, and what of it depends on more than the script. */
export interface Form {
  /** A file below test/fixtures/foreign, or the text of a script that no tool here could read. */
  readonly script: string | { readonly source: string };
  /** Told apart from other forms of the same script. */
  readonly as?: string;
  /** What one k6 ends with: a form that ceased to show what it is there for is noticed. */
  readonly ends: number;
  /** Variables that both see: of the process for one k6, `workload.env` for loadctl. */
  readonly env?: (servers: Servers) => Readonly<Record<string, string>>;
  /** `-e NAME=VALUE` on both command lines. */
  readonly fed?: Readonly<Record<string, string>>;
  /** What the user's shell holds: one k6 hands it to the script. */
  readonly shell?: Readonly<Record<string, string>>;
  /** Further flags of both command lines. */
  readonly flags?: readonly string[];
  /** `workload.options`, and how one k6 is told the same in its environment. */
  readonly laidOver?: { readonly options: Readonly<Record<string, unknown>>; readonly alone: Readonly<Record<string, string>> };
  /** The target; the web site without TLS where it is missing. */
  readonly target?: 'secure' | 'mutual' | 'greeter' | 'named';
  /** Whether the script is first packed by `k6 archive`. */
  readonly archived?: true;
  /** By how much counts may differ, by metric, where the clock decides; `requests` is about each path at the server. */
  readonly within?: Readonly<Record<string, number>>;
  /** What is not compared: where a test ends at a moment of its own, neither counts nor requests say anything. */
  readonly uncounted?: 'metrics' | 'metrics and requests';
  /** Whether all that the script says is compared, line by line. */
  readonly talk?: true;
  /** What loadctl must tell the user besides. */
  readonly tells?: readonly RegExp[];
  /** Where loadctl's answer is another one on purpose. */
  readonly decided?: Decided;
}

/** A difference from one k6 that is meant. */
export interface Decided {
  readonly because: string;
  /** loadctl's exit code. */
  readonly code?: number;
  /** Thresholds on these metrics have no data, which never passes here. */
  readonly noData?: readonly string[];
}

/** A form's name in tables and messages. */
export function nameOf({ script, as }: Form): string {
  const file = typeof script === 'string' ? script : '';
  return [file, as].filter((part) => part !== undefined && part !== '').join(', ');
}

/** `-e NAME=VALUE` for all that a form is fed. */
export function fedFlags({ fed = {} }: Form): string[] {
  return Object.entries(fed).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
}
