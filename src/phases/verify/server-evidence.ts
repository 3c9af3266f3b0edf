import type { LoggedEvent } from '../../core/events.js';
import type { MonitorLine } from '../../core/monitors.js';
import type { Evidence } from '../../metrics/criterion.js';
import { judgeServer, type ServerSide } from '../../metrics/servers/judge-server.js';
import { judgedLines } from '../../metrics/servers/judged-lines.js';
import type { LinesBySource } from '../../metrics/servers/monitor.js';
import type { Stretch } from '../../metrics/servers/series.js';
import { judgedWindow } from '../../metrics/servers/window.js';
import { runFiles } from '../../runs/layout.js';
import { foldLines, readLines } from '../../runs/read.js';
import type { RunRecord } from '../../runs/record.js';
import { misfit, type Shape } from '../../runs/shape.js';

const lineShape: Shape = { t: 'number', monitor: 'text', source: 'text', values: 'fields?', error: 'text?', everyMs: 'number?' };

const lineMisfit = (line: unknown) => misfit(line, lineShape);

/** The lines of monitors.ndjson; none where the run has no monitors. Throws `unavailable` for a damaged one. */
export async function readMonitorLines(directory: string): Promise<MonitorLine[]> {
  return readLines<MonitorLine>(directory, runFiles.monitors, lineMisfit);
}

/** Of those lines what a plan's limits are about; none where the plan is of a time before there were monitors. */
export async function readJudgedLines(directory: string, { criteria, judgedMonitors = [] }: Monitoring): Promise<LinesBySource> {
  const judged = judgedLines({ criteria, monitors: judgedMonitors });
  await foldLines<MonitorLine>(directory, runFiles.monitors, lineMisfit, judged.add);
  return judged.read();
}

type Monitoring = Pick<RunRecord['plan'], 'criteria'> & Partial<Pick<RunRecord['plan'], 'judgedMonitors'>>;

/** What a run's monitors told; nothing where its plan is of a time before there were any. */
export async function readServerSide(
  directory: string,
  { plan }: Pick<RunRecord, 'plan'>,
  events: readonly LoggedEvent[],
): Promise<Pick<Evidence, 'servers'>> {
  const { judgedMonitors: monitors, strict = false }: Partial<RunRecord['plan']> = plan;
  if (monitors === undefined) return {};
  const load = loadIn(events);
  const window = judgedWindow(load, plan.steady);
  const lines = await readJudgedLines(directory, plan);
  const endedEarly = events.some(({ type }) => type === 'fleet-stopped');
  const side: ServerSide = { monitors, lines, window, load, strict, endedEarly };
  return { servers: (criterion) => judgeServer(criterion, side) };
}

/** When there was load, by the run's `t`; nothing where there was none. */
export function loadIn(events: readonly LoggedEvent[]): Stretch {
  const from = events.find(({ type }) => type === 'fleet-released')?.t ?? 0;
  const ended = events.find((event) => event.type === 'load-ended');
  return { from, to: ended?.type === 'load-ended' ? from + ended.elapsedMs : from };
}
