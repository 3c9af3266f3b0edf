import { join } from 'node:path';
import type { Emit, LoggedEvent } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { Defer } from '../../core/scope.js';
import { type JsonReport, jsonReport } from '../../reporters/json.js';
import { type Told, told } from '../../reports/result/told.js';
import { runsRoot } from '../../runs/layout.js';
import { openReporter } from '../call/session.js';
import { openTrace } from '../call/trace.js';
import type { Call } from '../call/types.js';
import type { Listener } from './follow-run.js';

/** What is shown of a run that is elsewhere. */
export interface View extends Omit<Listener, 'signal'> {
  /** For what is told here. */
  readonly emit: Emit;
  readonly json: JsonReport;
  readonly heard: Told;
}

/** Opens the reporter that suits the call, and the folds that a run's end is made of. */
export async function openView(
  call: Call,
  { run, environment }: { readonly run: RunId; readonly environment: string },
  defer: Defer,
): Promise<View> {
  const reporter = await openReporter(call);
  defer(() => reporter.close());
  const [json, heard] = [jsonReport(), told(environment)];
  const show = (event: LoggedEvent) => {
    json.add(event);
    heard.add(event);
    reporter.handle(event);
  };
  const trace = openTrace(call.shell.clock, call.redact, show);
  defer(() => trace.close());
  const directory = join(runsRoot(call.shell.cwd), run);
  return {
    emit: trace.emit,
    json,
    heard,
    // Its run directory is where it will be here.
    tell: (event) => show(event.type === 'run-opened' ? { ...event, directory } : event),
    away: (why) => trace.emit({ type: 'noted', code: 'conductor-away', why }),
    damaged: (path) => trace.emit({ type: 'noted', code: 'copy-damaged', path }),
  };
}
