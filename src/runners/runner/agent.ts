import { constants } from 'node:os';
import type { Command } from '../../core/command.js';
import type { ProcessEnd } from '../../core/os.js';
import type { Milliseconds } from '../../core/quantities.js';

/** How often a conductor tells an agent that it is still there. */
export const heartbeatMs: Milliseconds = 500;

/**
 * What runs beside each k6 process, in POSIX sh: it ends k6 when the conductor's heartbeats, lines on stdin, stop. An end
 * of file would not do: a broken link or a frozen conductor gives none. Silence is counted in seconds: SIGTERM after 3,
 * SIGKILL after 4, so that k6 is gone before 5.
 *
 *     conductor ── a line every 0.5 s ──▶ reader ──▶ beats ──▶ watcher ── SIGTERM, SIGKILL ──▶ k6
 */
const agentScript = `umask 077
folder=$1
shift
trap : TERM
exec 3<&0
"$@" </dev/null >>"$folder/stdout" 2>>"$folder/log" 3<&- &
command=$!
echo "$command" >"$folder/pid"
(beats=0; while read -r beat; do beats=$((beats + 1)); echo "$beats" >"$folder/beats"; done) <&3 &
reader=$!
(
  heard=
  silent=0
  while sleep 1; do
    beats=
    { read -r beats <"$folder/beats"; } 2>/dev/null
    if [ "$beats" = "$heard" ]; then silent=$((silent + 1)); else silent=0; heard=$beats; fi
    if [ "$silent" -ge 4 ]; then kill -KILL "$command"; elif [ "$silent" -ge 3 ]; then kill -TERM "$command"; fi
  done
) 3<&- >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$command"
status=$?
while kill -0 "$command" 2>/dev/null; do wait "$command"; status=$?; done
kill "$reader" "$watcher" 2>/dev/null
exit "$status"
`;

/** The files that an agent writes into its folder besides k6's. */
export const agentFiles = { pid: 'pid', beats: 'beats' } as const;

/** A command in the care of an agent; its output goes to `stdout` and `log` in `folder`. Heartbeats go to its stdin. */
export function withAgent(command: Command, folder: string): Command {
  return { ...command, file: 'sh', args: ['-c', agentScript, 'loadctl-runner', folder, command.file, ...command.args] };
}

/** How the command itself ended, from the agent's exit status: a shell says 128 + n for signal n. */
export function endBehindAgent(end: ProcessEnd): ProcessEnd {
  const number = (end.exitCode ?? 0) - 128;
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return signal === undefined ? end : { signal: signal as NodeJS.Signals };
}
