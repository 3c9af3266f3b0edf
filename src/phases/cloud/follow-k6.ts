import type { CloudOutcome } from '../../core/cloud.js';
import type { LoadctlError } from '../../core/errors.js';
import type { Process, ProcessEnd } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { cloudRunCommand } from '../../k6/arguments.js';
import { cloudFailure, cloudLeft, unfitTest } from '../../k6/cloud/failure.js';
import { type CloudLine, cloudEnd, readCloudLog, readCloudOutput } from '../../k6/cloud/talk.js';
import { runFiles } from '../../runs/layout.js';
import type { RunDirectory } from '../../runs/write.js';
import type { RunContext } from '../frame/context.js';
import type { Interruptions } from '../run/interruptions.js';
import type { CloudTest } from './prepare-cloud.js';

/** Polls of a service that is away follow each other as closely: after a longer pause one was answered. */
const samePauseMs: Milliseconds = 10_000;

/** What a k6 that follows a run has told so far. */
interface Told {
  /** Whether anything was sent, and whether a run may have begun. */
  step?: 'asking' | 'handing-over';
  url?: string;
  /** By elapsed(). */
  startedAt: Milliseconds;
  state?: string;
  status?: string;
  said?: string;
  /** When the first and the last of polls were that failed one after the other. */
  away?: { readonly from: Milliseconds; last: Milliseconds };
  left?: true;
}

/** What following a run needs. */
export interface Following {
  readonly context: RunContext;
  readonly directory: RunDirectory;
  readonly test: CloudTest;
  readonly stop: Interruptions;
  readonly awayTimeoutMs: Milliseconds;
}

/**
 * Has k6 upload the test, start it in Grafana Cloud, and follow it to its end. The first reason to stop has k6 end the run there,
 * which is waited for; a second Ctrl-C leaves it. Throws where no run came about. k6 hears no signal while it hands the test over, and
 * would leave a run that begins then: it gets it as soon as it has one.
 */
export async function followK6(following: Following): Promise<CloudOutcome> {
  const { context, directory, test, stop } = following;
  const { world, emit, killed } = context;
  const told: Told = { startedAt: world.clock.elapsed() };
  const over = new AbortController();
  const atOnce = () => leave(child, told);
  const end = () => {
    if (told.url !== undefined) child.kill('SIGINT');
    else if (told.step !== 'handing-over') child.kill('SIGKILL');
  };
  const hear = (stream: string, read: (line: string) => CloudLine | undefined) => (line: string) => {
    directory.append(runFiles.cloud, { stream, line });
    const news = read(line);
    if (news !== undefined) note(news, told, following, { end, leaveIt: atOnce, over: over.signal });
  };
  const child: Process = world.spawn(cloudRunCommand(test.k6, test.archive), {
    ownGroup: true,
    leashed: true,
    stdout: hear('stdout', readCloudOutput),
    stderr: hear('stderr', readCloudLog),
  });
  const interrupt = () => {
    const why = stop.why();
    if (why !== undefined) emit({ type: 'fleet-stopped', ...why });
    end();
  };
  stop.signal.addEventListener('abort', interrupt);
  killed.addEventListener('abort', atOnce);
  if (stop.signal.aborted) interrupt();
  const ended = await child.ended;
  over.abort();
  stop.signal.removeEventListener('abort', interrupt);
  killed.removeEventListener('abort', atOnce);
  if (told.url === undefined) throw noRun(told, ended, following);
  return {
    how: told.left === true ? 'left' : cloudEnd(ended, told.status),
    elapsedMs: world.clock.elapsed() - told.startedAt,
    ...(ended.exitCode === undefined ? {} : { exitCode: ended.exitCode }),
    ...(told.status === undefined ? {} : { status: told.status }),
    ...(told.said === undefined ? {} : { said: told.said }),
  };
}

/** Why k6 has told of no run. */
function noRun({ step, left, said }: Told, { exitCode, signal, error, why }: ProcessEnd, { test, stop }: Following): LoadctlError {
  if (left === true && step === 'handing-over') return cloudLeft();
  stop.check();
  if (said !== undefined && step === undefined) return unfitTest(said);
  return cloudFailure(said ?? why ?? error ?? `k6 ended with ${exitCode ?? signal}`, test.host);
}

/** The k6 that is heard. */
interface Child {
  /** Has it end the run. */
  readonly end: () => void;
  readonly leaveIt: () => void;
  /** Aborted when it is gone. */
  readonly over: AbortSignal;
}

/** What follows it is where in k6's code that was. */
function isPanic(said = ''): boolean {
  return said.startsWith('panic: ');
}

/** The run may go on there: k6 alone is ended. */
function leave(child: Process, told: Told): void {
  told.left = true;
  child.kill('SIGKILL');
}

function note(news: CloudLine, told: Told, { context, stop, awayTimeoutMs }: Following, { end, leaveIt, over }: Child): void {
  const { emit, world } = context;
  const now = world.clock.elapsed();
  if (news.tells === 'asking' || news.tells === 'handing-over') told.step = news.tells;
  else if (news.tells === 'url' && told.url === undefined) {
    told.url = news.url;
    told.startedAt = now;
    emit({ type: 'cloud-run-started', url: news.url });
    if (stop.signal.aborted) end();
  } else if (news.tells === 'state' && news.state !== told.state) {
    told.state = news.state;
    emit({ type: 'cloud-run-reached', state: news.state });
  } else if (news.tells === 'status') told.status = news.status;
  else if (news.tells === 'error' && !isPanic(told.said)) told.said = news.message;
  else if (news.tells === 'not-aborted') emit({ type: 'warned', code: 'cloud-not-aborted', why: news.why });
  else if (news.tells === 'no-progress') {
    told.said = news.why;
    if (told.away !== undefined && now - told.away.last <= samePauseMs) {
      told.away.last = now;
      return;
    }
    const away = { from: now, last: now };
    told.away = away;
    emit({ type: 'warned', code: 'cloud-unreachable', why: news.why, leavesAfterMs: awayTimeoutMs });
    const look = () => {
      if (!over.aborted && told.away === away && world.clock.elapsed() - away.last <= samePauseMs) leaveIt();
    };
    stop.beside(async (end) => {
      await world.clock.sleep(awayTimeoutMs, AbortSignal.any([over, end]));
      look();
    });
  }
}
