import type { CloudOutcome } from '../../core/cloud.js';
import type { Process } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';
import { cloudRunCommand } from '../../k6/arguments.js';
import { cloudFailure } from '../../k6/cloud/failure.js';
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
 * which is waited for; a second Ctrl-C leaves it. Throws where no run came about.
 */
export async function followK6(following: Following): Promise<CloudOutcome> {
  const { context, directory, test, stop } = following;
  const { world, emit, killed } = context;
  const told: Told = { startedAt: world.clock.elapsed() };
  const over = new AbortController();
  const atOnce = () => leave(child, told);
  const hear = (stream: string, read: (line: string) => CloudLine | undefined) => (line: string) => {
    directory.append(runFiles.cloud, { stream, line });
    const news = read(line);
    if (news !== undefined) note(news, told, following, { leaveIt: atOnce, over: over.signal });
  };
  const child: Process = world.spawn(cloudRunCommand(test.k6, test.archive), {
    ownGroup: true,
    stdout: hear('stdout', readCloudOutput),
    stderr: hear('stderr', readCloudLog),
  });
  const interrupt = () => {
    const why = stop.why();
    if (why !== undefined) emit({ type: 'fleet-stopped', ...why });
    child.kill('SIGINT');
  };
  stop.signal.addEventListener('abort', interrupt);
  killed.addEventListener('abort', atOnce);
  if (stop.signal.aborted) interrupt();
  const end = await child.ended;
  over.abort();
  stop.signal.removeEventListener('abort', interrupt);
  killed.removeEventListener('abort', atOnce);
  if (told.url === undefined) {
    stop.check();
    throw cloudFailure(told.said ?? end.why ?? end.error ?? `k6 ended with ${end.exitCode ?? end.signal}`, test.host);
  }
  return {
    how: told.left === true ? 'left' : cloudEnd(end, told.status),
    elapsedMs: world.clock.elapsed() - told.startedAt,
    ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    ...(told.status === undefined ? {} : { status: told.status }),
    ...(told.said === undefined ? {} : { said: told.said }),
  };
}

/** The k6 that is heard. */
interface Child {
  readonly leaveIt: () => void;
  /** Aborted when it is gone. */
  readonly over: AbortSignal;
}

/** The run may go on there: k6 alone is ended. */
function leave(child: Process, told: Told): void {
  told.left = true;
  child.kill('SIGKILL');
}

function note(news: CloudLine, told: Told, { context, stop, awayTimeoutMs }: Following, { leaveIt, over }: Child): void {
  const { emit, world } = context;
  const now = world.clock.elapsed();
  if (news.tells === 'url' && told.url === undefined) {
    told.url = news.url;
    told.startedAt = now;
    emit({ type: 'cloud-run-started', url: news.url });
  } else if (news.tells === 'state' && news.state !== told.state) {
    told.state = news.state;
    emit({ type: 'cloud-run-reached', state: news.state });
  } else if (news.tells === 'status') told.status = news.status;
  else if (news.tells === 'error') told.said = news.message;
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
