import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { onTestFinished } from 'vitest';

/** How the local service answers. */
export interface CloudCourse {
  /** What a run is at, one poll after the other; the last one stays. `away`: the poll is answered by 503. */
  readonly statuses: readonly ('queued' | 'initializing' | 'running' | 'completed' | 'aborted' | 'away')[];
  /** `failed`: thresholds; `error`: it did not come to its end. */
  readonly result?: 'passed' | 'failed' | 'error';
  /** The status and the error that the API answers at this step of k6 with. */
  readonly refuses?: { readonly at: 'validate' | 'start' | 'abort'; readonly status: number; readonly message: string };
  /** What is answered at each step, where that is not the API's: another version, another service. */
  readonly answers?: Readonly<Record<string, unknown>>;
  /** k6's step is heard, and answered when this is over. */
  readonly holds?: { readonly at: 'start'; readonly until: Promise<void> };
}

/** A request as it came. */
export interface CloudRequest {
  readonly what: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** A server on loopback that speaks the part of Grafana Cloud's API that k6 2.2 calls; it is not Grafana Cloud, and runs nothing. */
export interface CloudApi {
  readonly url: string;
  /** Where it says that the run can be watched. */
  readonly page: string;
  readonly requests: CloudRequest[];
  /** The archive that was uploaded. */
  archive(): Buffer;
  count(what: string): number;
}

const at = '2026-01-01T00:00:00Z';

/** Starts a {@link CloudApi} whose one run takes this course; it is gone when the test is over. */
export async function startCloudApi(course: CloudCourse, token: string): Promise<CloudApi> {
  const requests: CloudRequest[] = [];
  const page = 'https://stack.example.net/a/k6-app/runs/99';
  let polls = 0;
  let stopped = false;
  const now = () => course.statuses[Math.min(polls, course.statuses.length - 1)] ?? 'completed';
  const steps: readonly (readonly [RegExp, string, (body: Buffer) => readonly [number, unknown]])[] = [
    [/^POST \/cloud\/v6\/validate_options$/, 'validate', () => [200, { vuh_usage: 0.1, breakdown }]],
    [/^POST \/cloud\/v6\/projects\/123\/load_tests$/, 'upload', () => [201, loadTest]],
    [
      /^POST \/cloud\/v6\/load_tests\/7\/start$/,
      'start',
      () => [200, { ...runModel('created', null, false), test_run_details_page_url: page }],
    ],
    [
      /^POST \/cloud\/v6\/test_runs\/99\/abort$/,
      'abort',
      () => {
        if (now() === 'away') return [503, failed('out of order')];
        stopped = true;
        return [204, undefined];
      },
    ],
    [
      /^GET \/cloud\/v6\/test_runs\/99$/,
      'poll',
      () => {
        const status = stopped ? 'aborted' : now();
        polls += 1;
        if (status === 'away') return [503, failed('out of order')];
        const isOver = status === 'completed' || status === 'aborted';
        return [200, runModel(status, isOver ? (stopped ? 'error' : (course.result ?? 'passed')) : null, stopped)];
      },
    ],
  ];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const step = steps.find(([path]) => path.test(`${request.method} ${request.url}`));
    const [, what = `${request.method} ${request.url}`, answer = () => [404, failed('not known')] as const] = step ?? [];
    requests.push({ what, headers: request.headers, body });
    if (course.holds?.at === what) await course.holds.until;
    const isKnown = request.headers.authorization === `Bearer ${token}` && request.headers['x-stack-id'] === '5';
    const refused = course.refuses?.at === what ? course.refuses : undefined;
    const [status, content] = isKnown
      ? refused === undefined
        ? (own(course, what) ?? answer(body))
        : [refused.status, failed(refused.message)]
      : [401, failed('Invalid token')];
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(content === undefined ? undefined : JSON.stringify(content));
  });
  return {
    url: await listening(server),
    page,
    requests,
    archive: () => uploaded(requests.find(({ what }) => what === 'upload')),
    count: (what) => requests.filter((request) => request.what === what).length,
  };
}

/** The URL of a server that listens from now on, until the test is over. */
async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

const breakdown = { protocol_vuh: 0.1, browser_vuh: 0, base_total_vuh: 0.1, reduction_rate: 0, reduction_rate_breakdown: {} };
const loadTest = { id: 7, project_id: 123, name: 'test', baseline_test_run_id: null, created: at, updated: at };

function own({ answers = {} }: CloudCourse, what: string): readonly [number, unknown] | undefined {
  return what in answers ? [200, answers[what]] : undefined;
}

function failed(message: string) {
  return { error: { code: 'error', message } };
}

/** All the fields that k6's client wants, or it takes the answer for none. */
function runModel(status: string, result: string | null, byUser: boolean) {
  const entry = { type: status, entered: at, extra: { by_user: byUser ? 'ann@example.com' : null, message: null, code: null } };
  return {
    id: 99,
    test_id: 7,
    project_id: 123,
    started_by: null,
    created: at,
    ended: null,
    note: '',
    retention_expiry: null,
    cost: null,
    status,
    status_details: { type: status, entered: at },
    status_history: [entry],
    distribution: [],
    result,
    result_details: null,
    options: {},
    k6_dependencies: {},
    k6_versions: {},
    max_vus: 2,
    max_browser_vus: 0,
    estimated_duration: 10,
    execution_duration: 1,
    is_starred: false,
  };
}

/** The file of a multipart upload. */
function uploaded(request: CloudRequest | undefined): Buffer {
  if (request === undefined) throw new Error('nothing was uploaded');
  const [, boundary = ''] = /boundary=(.+)$/.exec(String(request.headers['content-type'])) ?? [];
  const { body } = request;
  const from = body.indexOf('\r\n\r\n', body.indexOf('name="script"')) + 4;
  return body.subarray(from, body.indexOf(`\r\n--${boundary}`, from));
}
