import type { IncomingMessage, ServerResponse } from 'node:http';
import { startTarget, type Target } from './target.js';

/** Two colours and the place that says which one is live; all count what reaches them. */
export interface Colours {
  readonly blue: Target;
  readonly green: Target;
  /** Answers `GET /colour`. */
  readonly router: Target;
  /** What the router says: a colour, any other text, or a whole answer of its own. */
  says: string | ((response: ServerResponse) => void);
  /** The user agents that asked. */
  readonly askedBy: string[];
  /** The `target` of a profile. */
  words(how?: string): string;
}

/** Starts them on loopback, blue live; they are gone when the test is over. */
export async function startColours(addresses: { readonly blue?: string; readonly green?: string } = {}): Promise<Colours> {
  const [blue, green] = [await startTarget(undefined, addresses.blue), await startTarget(undefined, addresses.green)];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    colours.askedBy.push(request.headers['user-agent'] ?? '');
    if (typeof colours.says === 'function') colours.says(response);
    else response.writeHead(200, { 'x-live-colour': colours.says }).end(JSON.stringify({ live: { 'the-colour': [colours.says] } }));
    return true;
  };
  const router = await startTarget(answer);
  const colours: Colours = {
    blue,
    green,
    router,
    says: 'blue',
    askedBy: [],
    words: (how = `url: "${router.url}/colour", jsonPath: "$.live['the-colour'][0]", every: 200ms`) =>
      `target: {colours: {blue: "${blue.url}", green: "${green.url}"}, health: /healthz, live: {${how}}}\n`,
  };
  return colours;
}

/** How many requests reached a target. */
export function requestsTo({ hits }: Target): number {
  return [...hits.values()].reduce((sum, count) => sum + count, 0);
}
