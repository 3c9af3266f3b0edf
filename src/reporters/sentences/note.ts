import type { Note } from '../../core/warnings.js';
import { rejections } from './warning.js';
import { counted } from './words.js';
import { placeName } from './work.js';

/** What a note says; every code has its sentence here. */
export function noteText(note: Note): string {
  switch (note.code) {
    case 'stopping':
      return `${note.signal} received: stopping gracefully. Repeat to stop immediately.`;
    case 'k6-binary':
      return note.message;
    case 'cleanup-advised':
      return note.hasData ? `Remove the test data: ${note.command}` : 'Nothing to clean up: this profile declares no test data.';
    case 'k6-complaints-left':
      return `${counted(note.kinds, 'more kind')} of messages are in ${note.folder}.`;
    case 'script-logged':
      return `The script logged ${counted(note.lines, 'line')}: ${note.folder}/*/log`;
    case 'generators-unreadable':
      return "The runners' CPU and memory cannot be read on this system: whether they were the limit stays unknown.";
    case 'pushes-rejected':
      return `${note.times} pushes of live data were rejected: each ${rejections[note.why]}.`;
    case 'live-colour-unchanged':
      return `${note.live} is live, as before`;
    case 'seeded-data-kept':
      return 'Seeded rows stay for the next test; cleanup --users removes them.';
    case 'side-effect':
      return note.effect;
    case 'replica-position-unknown':
      return `${placeName(note.place)}: the replica does not report its position; its counts may be slightly old`;
  }
}
