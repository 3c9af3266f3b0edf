import { formatDuration } from '../../core/quantities.js';
import type { Note } from '../../core/warnings.js';
import { rejections } from './warning.js';
import { counted } from './words.js';
import { placeName } from './work.js';

/** What a note says; every code has its sentence here. */
export function noteText(note: Note): string {
  switch (note.code) {
    case 'stopping':
      return `${note.signal} received: stopping gracefully. Repeat to stop immediately.`;
    case 'suspension-refused':
      return 'Ctrl-Z is ignored while there are runners: they end when loadctl stands still for some seconds. Ctrl-C ends the test.';
    case 'conductor-started':
      return `Conducted in the cluster: job ${note.job}, namespace ${note.namespace}.`;
    case 'conductor-away':
      return `The conductor is out of reach (${note.why}); retrying. The run goes on without this connection, as runners.kubernetes.onClientLost says.`;
    case 'stop-undelivered':
      return `The stop does not reach the conductor (${note.why}); retrying. ${undelivered(note.endsBy)}`;
    case 'copy-damaged':
      return `${note.path} of the run directory arrived damaged: its SHA-256 is another one. Copying it again.`;
    case 'k6-binary':
      return note.message;
    case 'first-look':
      return `a first look, judged by no limits: ${counted(note.vus, 'VU')}, each a GET every ${formatDuration(note.everyMs)}, for ${formatDuration(note.durationMs)}. Next, a profile: loadctl init --url ${note.url}`;
    case 'cleanup-advised':
      return note.hasData ? `Remove the test data: ${note.command}` : 'Nothing to clean up: this profile declares no test data.';
    case 'cleanup-later':
      return `Clean up once its page says that it is over, as it may write until then: ${note.command}`;
    case 'k6-complaints-left':
      return `${counted(note.kinds, 'more kind')} of messages are in ${note.folder}.`;
    case 'script-logged':
      return `The script logged ${counted(note.lines, 'line')}: ${note.folder}/*/log`;
    case 'start-skew-unknown':
      return 'How far apart the runners began is unknown: the clock of one of their machines was set meanwhile.';
    case 'script-slow':
      return `k6 is still reading ${note.script} (${formatDuration(note.forMs)}): its init code has not ended. It gets ${formatDuration(note.limitMs)} (runners.readyTimeout).`;
    case 'generators-unreadable':
      return "The runners' CPU and memory cannot be read on this system: whether they were the limit stays unknown.";
    case 'pushes-rejected':
      return `${note.times} pushes of live data were rejected: each ${rejections[note.why]}.`;
    case 'live-colour-unchanged':
      return `${note.live} is live, as before`;
    case 'seeded-data-kept':
      return 'Seeded rows stay for the next test; cleanup --seeded removes them.';
    case 'side-effect':
      return note.effect;
    case 'sequence-stays':
      return `${placeName(note.place)}: the sequence ${note.sequence} is not moved by the rows of ${note.set}; its next value is ${note.next}`;
    case 'changed-seed-removed':
      return `${counted(note.removed, 'changed row')} removed${note.kept === 0 ? '' : `; ${note.kept} stay, as other rows reference them or they changed again`}.`;
    case 'points-awaited':
      return `waiting up to 3m for the last points of ${note.monitors.join(', ')}: CloudWatch has them minutes later`;
    case 'monitor-back':
      return `monitor ${note.monitor} has data from ${note.source} again`;
    case 'monitor-remark':
      return `monitor ${note.monitor}: ${note.remark}`;
    case 'output-settled':
      return `output ${note.output}: resolved what run ${note.run} left open when its loadctl was killed`;
    case 'output-back': {
      const lost = note.lost === 0 ? '' : `; ${counted(note.lost, note.unit)} lost`;
      return `output ${note.output} has caught up after ${formatDuration(note.forMs)}${lost}`;
    }
    case 'replica-position-unknown':
      return `${placeName(note.place)}: the replica does not report its position; its counts may be slightly old`;
  }
}

/** What ends a run that no stop reaches, and when. */
function undelivered(endsBy: Extract<Note, { code: 'stop-undelivered' }>['endsBy']): string {
  if (endsBy.cause === 'done') return 'If it never does, the work on the data goes on to its end.';
  const { cause, afterMs } = endsBy;
  if (cause === 'unfollowed')
    return `If it never does, the run ends by itself once nothing has reached the conductor for ${formatDuration(afterMs)} (onClientLost).`;
  return `If it never does, the load goes on to its planned end, ${formatDuration(afterMs)} after its start.`;
}
