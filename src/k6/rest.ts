import { errorMessage, LoadctlError } from '../core/errors.js';
import type { Milliseconds } from '../core/quantities.js';

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

/** What a script's setup() or teardown() threw, as k6 tells it: message with file and line. */
export interface ScriptFailure {
  readonly thrown: string;
}

/** One runner's REST API. Each call has a deadline and rejects when the runner does not answer within it. */
export interface RunnerApi {
  status(): Promise<RunnerStatus>;
  /** Releases a paused runner. */
  release(): Promise<void>;
  /** Ends the load; k6 lingers on. */
  stop(): Promise<void>;
  /** Runs setup() here; its data as JSON (`undefined`: it returned none), or what it threw. */
  runSetup(timeoutMs: Milliseconds): Promise<{ readonly data: unknown } | ScriptFailure>;
  /** Hands another runner's setup data in. */
  putSetup(data: unknown): Promise<void>;
  /** Runs teardown() here; undefined, or what it threw. */
  runTeardown(timeoutMs: Milliseconds): Promise<ScriptFailure | undefined>;
}

const quickMs = 2000;

/** The REST API at `http://host:port` (k6's own, https://github.com/grafana/k6/tree/master/api/v1). */
export function runnerApi(baseUrl: string): RunnerApi {
  const call = (method: string, path: string, body?: unknown, timeoutMs = quickMs) =>
    request(`${baseUrl}/v1/${path}`, method, body, timeoutMs);
  const setStatus = async (attributes: Record<string, boolean>) => {
    await expectOk(await call('PATCH', 'status', { data: { type: 'status', id: 'default', attributes } }));
  };
  return {
    async status() {
      const attributes = attributesOf(await json(await call('GET', 'status')));
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
      if (!answer.ok) return { thrown: await failureOf(answer) };
      return { data: attributesOf(await json(answer)).data ?? undefined };
    },
    async putSetup(data) {
      await expectOk(await call('PUT', 'setup', data, 30_000));
    },
    async runTeardown(timeoutMs) {
      const answer = await call('POST', 'teardown', undefined, timeoutMs);
      return answer.ok ? undefined : { thrown: await failureOf(answer) };
    },
  };
}

async function request(url: string, method: string, body: unknown, timeoutMs: Milliseconds): Promise<Response> {
  const content = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  try {
    return await fetch(url, { method, ...content, signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw new LoadctlError('unavailable', `k6's REST API at ${url} did not answer: ${errorMessage(cause)}`, { cause });
  }
}

async function json(answer: Response): Promise<unknown> {
  await expectOk(answer);
  return answer.json();
}

async function expectOk(answer: Response): Promise<void> {
  if (answer.ok) return;
  throw new LoadctlError('unavailable', `k6's REST API answered ${answer.status} to ${answer.url}: ${await failureOf(answer)}`);
}

async function failureOf(answer: Response): Promise<string> {
  const text = await answer.text();
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

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
