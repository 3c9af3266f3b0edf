import { Agent, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorMessage, LoadctlError } from '../core/errors.js';
import type { ScriptFailureKind } from '../core/events.js';
import type { Clock } from '../core/os.js';
import { isRecord } from '../core/own.js';
import type { Milliseconds } from '../core/quantities.js';
import type { AskedMetric, CountedCheck } from '../metrics/rate-counts.js';
import { abortWords } from './log.js';

/** k6's states of a test, as `/v1/status` numbers them (k6 v2: lib/execution.go, ExecutionStatus). */
export const k6Status = {
  pausedBeforeRun: 4,
  running: 7,
  ended: 9,
  interrupted: 10,
  markedFailed: 11,
} as const;

/** `/v1/status`. */
export interface RunnerStatus {
  readonly status: number;
  readonly paused: boolean;
  readonly vus: number;
  /** VUs that this runner's segment will have at most. */
  readonly vusMax: number;
}

/** How a script's setup() or teardown() failed, as k6 tells it: what it threw comes with file and line. */
export interface ScriptFailure {
  readonly how: ScriptFailureKind;
  readonly said: string;
}

/** One runner's REST API. Each call has a deadline and rejects when the runner does not answer within it. */
export interface RunnerApi {
  status(): Promise<RunnerStatus>;
  /** Releases a paused runner. */
  release(): Promise<void>;
  /** Ends the load; k6 lingers on. */
  stop(): Promise<void>;
  /** Runs setup() here; its data as JSON (`undefined`: it returned none, which is not `null`), or how it failed. */
  runSetup(timeoutMs: Milliseconds): Promise<{ readonly data: unknown } | ScriptFailure>;
  /** Hands another runner's setup data in. */
  putSetup(data: unknown): Promise<void>;
  /** How often each check held so far. */
  checks(): Promise<readonly CountedCheck[]>;
  /** What this metric or sub-metric comes to so far; undefined where there is none, or nothing was added to it. */
  metric(key: string): Promise<AskedMetric | undefined>;
  /** Runs teardown() here; undefined, or how it failed. */
  runTeardown(timeoutMs: Milliseconds): Promise<ScriptFailure | undefined>;
}

const quickMs = 2000;
/** Of an answer: what setup() returns can be large. */
const mostBytes = 256 * 1024 * 1024;
/** For what is asked anew a moment later. */
const glanceMs = 500;

/** Opens a connection to a runner's REST API. */
export type Connect = () => Promise<Duplex>;

/**
 * The REST API at `http://host:port` (k6's own, https://github.com/grafana/k6/tree/master/api/v1), by connections that `connect`
 * opens where there is one.
 */
export function runnerApi(baseUrl: string, clock: Pick<Clock, 'sleep'>, connect?: Connect): RunnerApi {
  const agent = connect === undefined ? new Agent({ keepAlive: true }) : new ConnectedAgent(connect);
  const call = (method: string, path: string, body?: unknown, timeoutMs = quickMs) =>
    request({ url: `${baseUrl}/v1/${path}`, method, body, timeoutMs, agent, clock });
  const setStatus = async (attributes: Record<string, boolean>) => {
    expectOk(await call('PATCH', 'status', { data: { type: 'status', id: 'default', attributes } }));
  };
  return {
    async status() {
      const attributes = attributesOf(json(await call('GET', 'status')));
      return {
        status: number(attributes.status),
        paused: attributes.paused === true,
        vus: number(attributes.vus),
        vusMax: number(attributes['vus-max']),
      };
    },
    release: () => setStatus({ paused: false }),
    stop: () => setStatus({ stopped: true }),
    async runSetup(timeoutMs) {
      const answer = await call('POST', 'setup', undefined, timeoutMs);
      if (!answer.ok) return failureOf(answer);
      return { data: attributesOf(json(answer)).data };
    },
    async putSetup(data) {
      expectOk(await call('PUT', 'setup', data, 30_000));
    },
    async checks() {
      return checksIn(json(await call('GET', 'groups', undefined, glanceMs)));
    },
    async metric(key) {
      const answer = await call('GET', `metrics/${encodeURIComponent(key)}`, undefined, glanceMs);
      return answer.status === 404 ? undefined : metricIn(json(answer));
    },
    async runTeardown(timeoutMs) {
      const answer = await call('POST', 'teardown', undefined, timeoutMs);
      return answer.ok ? undefined : failureOf(answer);
    },
  };
}

/** Node's agent, by connections that come another way than by the network of this machine. */
class ConnectedAgent extends Agent {
  private readonly connect: Connect;

  constructor(connect: Connect) {
    super({ keepAlive: true });
    this.connect = connect;
  }

  override createConnection(_: unknown, created: (error: Error | null, stream?: Duplex) => void): undefined {
    this.connect().then(
      (stream) =>
        created(
          null,
          stream.once('end', () => stream.destroy()),
        ),
      (cause: unknown) => created(new Error(errorMessage(cause), { cause })),
    );
  }
}

interface Request {
  readonly url: string;
  readonly method: string;
  readonly body: unknown;
  readonly timeoutMs: Milliseconds;
  readonly agent: Agent;
  readonly clock: Pick<Clock, 'sleep'>;
}

interface Answer {
  readonly url: string;
  readonly status: number;
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Not by fetch: that gives up after five minutes without an answer, and a setup() may take longer. Not by AbortSignal.timeout:
 * it makes its error, with a stack, even where the answer came long ago, which 1,000 runners make a tenth of a core.
 */
async function request(asked: Request): Promise<Answer> {
  const over = new AbortController();
  try {
    return await send(asked, over.signal);
  } finally {
    over.abort('over');
  }
}

function send({ url, method, body, timeoutMs, agent, clock }: Request, over: AbortSignal): Promise<Answer> {
  const content = body === undefined ? '' : JSON.stringify(body);
  const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new LoadctlError('unavailable', `k6's REST API at ${url} did not answer: ${errorMessage(cause)}`, { cause }));
    const sent = httpRequest(url, { method, headers, agent }, (response) => {
      const status = response.statusCode ?? 0;
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > mostBytes) response.destroy(new Error(`it sends more than ${mostBytes / 1024 / 1024} MB`));
        else parts.push(part);
      });
      response.once('error', fail);
      response.once('end', () => resolve({ url, status, ok: status >= 200 && status < 300, text: Buffer.concat(parts).toString() }));
    });
    sent.once('error', fail);
    const giveUp = async () => {
      await clock.sleep(timeoutMs, over);
      await clock.sleep(1, over); // where loadctl stood still until now, an answer may lie here: it is heard first
      if (over.aborted) return;
      const late = new Error(`no answer within ${timeoutMs / 1000} s`);
      fail(late); // Node does not tell of every connection that it gives up
      sent.destroy(late);
    };
    void giveUp();
    sent.end(content);
  });
}

function json(answer: Answer): unknown {
  expectOk(answer);
  return JSON.parse(answer.text);
}

function expectOk(answer: Answer): void {
  if (answer.ok) return;
  throw new LoadctlError('unavailable', `k6's REST API answered ${answer.status} to ${answer.url}: ${detailOf(answer)}`);
}

/** k6 gives no code for these, only its own words; what a script throws never begins with them (`Error: …`). */
const timeoutWords = /^(?:setup|teardown)\(\) execution timed out/;

function failureOf(answer: Answer): ScriptFailure {
  const detail = detailOf(answer);
  if (detail.startsWith(abortWords)) return { how: 'aborted', said: detail.slice(abortWords.length) };
  return { how: timeoutWords.test(detail) ? 'timed-out' : 'threw', said: detail };
}

function detailOf({ text }: Answer): string {
  try {
    const parsed: unknown = JSON.parse(text);
    const first = isRecord(parsed) && Array.isArray(parsed.errors) ? parsed.errors[0] : undefined;
    if (isRecord(first) && typeof first.detail === 'string') return first.detail.trim();
  } catch {
    // not JSON: shown as it is
  }
  return text.trim();
}

function attributesOf(document: unknown): Record<string, unknown> {
  const data = isRecord(document) ? document.data : undefined;
  const attributes = isRecord(data) ? data.attributes : undefined;
  return isRecord(attributes) ? attributes : {};
}

function checksIn(document: unknown): CountedCheck[] {
  const groups = isRecord(document) && Array.isArray(document.data) ? document.data : [];
  return groups.flatMap((group: unknown) => {
    const { path, checks } = attributesOf({ data: group });
    return (Array.isArray(checks) ? checks.filter(isRecord) : []).map(({ name, passes, fails }) => ({
      name: String(name),
      group: String(path ?? ''),
      passes: number(passes),
      fails: number(fails),
    }));
  });
}

function metricIn(document: unknown): AskedMetric | undefined {
  const { type, contains, sample } = attributesOf(document);
  if (!isOneOf(metricTypes, type) || !isOneOf(contents, contains) || !isRecord(sample)) return undefined;
  const values = Object.entries(sample).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return { type, contains, values: Object.fromEntries(values) };
}

const metricTypes = ['counter', 'gauge', 'rate', 'trend'] as const;
const contents = ['default', 'time', 'data'] as const;

function isOneOf<T extends string>(words: readonly T[], value: unknown): value is T {
  return words.some((word) => word === value);
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
