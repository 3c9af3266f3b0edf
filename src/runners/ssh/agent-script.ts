import { type Command, displayCommand, shellQuote } from '../../core/command.js';
import { LoadctlError } from '../../core/errors.js';
import type { RemoteCommand } from './commands.js';

/** What a host's agent is told when it is started. */
export interface AgentSettings {
  /** Names its folder on the host; letters and digits. */
  readonly token: string;
  /** The k6 to ask for its version: a path on the host, or a name on its PATH. */
  readonly k6: string;
  /** Leave the folder on the host. */
  readonly keep: boolean;
}

/**
 * What runs once on each host, in POSIX sh, and looks after all of its runners. It first tells the host's facts, then
 * takes orders by lines on stdin and answers by lines on stdout. k6 does not outlive it: when heartbeats, empty lines, stop
 * (a broken link and a frozen conductor give no end of file) it ends every k6 and takes its folder away. It takes `beats`
 * away first: a runner that is just being started sees that, where the sweep does not see the runner yet. A look at what
 * the host and the runners use takes no process, and is told by lines, each in one write: it is not mixed with other answers.
 *
 *     conductor ── orders, a beat every 0.5 s ──▶ loop ──▶ beats ──▶ watcher ── SIGKILL after 3 s of silence ──▶ every k6
 *               ◀── facts, answers, ends ───────         └─ starts, signals ────────────────────────────────▶ every k6
 */
const agentScript = `umask 077
trap '' PIPE
PATH=$PATH:/usr/local/bin:/opt/homebrew/bin:/snap/bin
folder=\${TMPDIR:-/tmp}/loadctl-$token
mkdir "$folder" || exit 73
everyone() { cat "$folder"/*/pid 2>/dev/null; }
sweep() {
  rm -f "$folder/beats"
  for pid in $(everyone); do kill -KILL "$pid" 2>/dev/null; done
  [ "$keep" = yes ] && return
  for try in 1 2 3; do rm -rf "$folder" 2>/dev/null; [ -e "$folder" ] || return; sleep 1; done
}
trap 'sweep; exit 75' HUP INT TERM
fact() { echo "fact $1 $2"; }
fact platform "$(uname -sm)"
fact cpus "$(getconf _NPROCESSORS_ONLN 2>/dev/null)"
fact memory "$(while read -r line; do case $line in MemTotal:* | MemAvailable:*) printf '%s;' "$line" ;; esac; done 2>/dev/null </proc/meminfo)"
group=
{ while IFS= read -r line; do case $line in 0::*) group=/sys/fs/cgroup\${line#0::} ;; esac; done <"/proc/$$/cgroup"; } 2>/dev/null
fact memory-max "$(cat "$group/memory.max" 2>/dev/null)"
fact memory-current "$(cat "$group/memory.current" 2>/dev/null)"
fact cpu-max "$(cat "$group/cpu.max" 2>/dev/null)"
fact open-files "$(ulimit -Hn)"
fact ports "$(cat /proc/sys/net/ipv4/ip_local_port_range 2>/dev/null)"
version() { fact k6-version "$("$1" version 2>/dev/null | head -n 1)"; fact k6-path "$(command -v "$1" 2>/dev/null)"; }
version "$k6"
echo '{}' >"$folder/k6-config.json"
printf '%12s' 0 >"$folder/beats"
(
  heard=
  silent=0
  while sleep 1; do
    beats=$(cat "$folder/beats" 2>/dev/null)
    if [ "$beats" = "$heard" ]; then silent=$((silent + 1)); else silent=0; heard=$beats; fi
    if [ "$silent" -ge 3 ]; then sweep; kill -KILL $$; exit; fi
  done
) </dev/null >/dev/null 2>&1 &
watcher=$!
start() {
  mkdir -p "$folder/$1"
  left=$2
  while [ "$left" -gt 0 ]; do IFS= read -r line; printf '%s\\n' "$line"; left=$((left - 1)); done >"$folder/$1/command"
  (
    cd "$folder/$1" || exit
    env -i PATH="$PATH" HOME="\${HOME:-/}" sh ./command </dev/null >>stdout 2>>log &
    command=$!
    { echo "$command" >pid && [ -f "$folder/beats" ]; } || kill -KILL "$command"
    echo "started $1 $command"
    wait "$command"
    status=$?
    rm -f pid
    echo "ended $1 $status"
  ) &
}
tell() { { while IFS= read -r line; do case $line in $3) echo "seen $1 $line" ;; *) break ;; esac; done <"$2"; } 2>/dev/null; }
look() {
  tell machine /proc/stat 'cpu*'
  tell memory /proc/meminfo 'Mem*'
  for file in cpu.max memory.max memory.current; do tell "$file" "$group/$file" '*'; done
  for file in "$folder"/*/pid; do
    { read -r pid <"$file"; } 2>/dev/null || continue
    runner=\${file#"$folder/"}
    tell "process-\${runner%/pid}" "/proc/$pid/stat" '*'
  done
  echo looked
}
signal() { [ -f "$folder/$2/pid" ] && kill "-$1" "$(cat "$folder/$2/pid")"; }
echo "ready $folder"
beats=0
while IFS= read -r line; do
  case $line in
    '')
      beats=$((beats + 1))
      printf '%12s' "$beats" 1<>"$folder/beats"
      echo beat
      ;;
    'now') echo "now $(date +%s.%N)" ;;
    'look') look ;;
    'version '*) version "\${line#version }" ;;
    'run '*)
      set -- $line
      start "$2" "$3"
      ;;
    'end '*) signal TERM "\${line#end }" ;;
    'kill '*) signal KILL "\${line#kill }" ;;
    bye) break ;;
  esac
done
kill "$watcher" 2>/dev/null
sweep
exit 0
`;

/** The agent's command, with its script on stdin: the user's shell on the host, whichever it is, only reads one plain line. */
export function agentCommand({ token, k6, keep }: AgentSettings): RemoteCommand {
  const settings = `token=${shellQuote(token)}\nk6=${shellQuote(k6)}\nkeep=${keep ? 'yes' : 'no'}\n`;
  const stdin = settings + agentScript;
  return { file: 'exec', args: ['sh', '-c', `eval "$(dd bs=1 count=${Buffer.byteLength(stdin)} 2>/dev/null)"`], stdin };
}

/** The order to run a command as runner `id`. Its environment, but for the host's own PATH and HOME, is in the order. */
export function runOrder(id: string, command: Command): string {
  const given = Object.entries(command.env ?? {}).filter(([name]) => name !== 'PATH' && name !== 'HOME');
  const exports = given.map(([name, value]) => `export ${variableName(name)}=${shellQuote(value)}`);
  const script = ['rm -f ./command', ...exports, `exec ${displayCommand(command)}`].join('\n');
  return `run ${id} ${script.split('\n').length}\n${script}\n`;
}

function variableName(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new LoadctlError(
    'invalid-profile',
    `The variable \`${name}\` cannot be handed to a runner over ssh: a shell does not know such names.`,
    {
      hint: 'Give it a name of letters, digits and _.',
    },
  );
}
