import type { Command } from '../../core/command.js';
import { logLimits, rawLog } from '../runner/raw-log.js';
import { unknownEnd } from './protocol.js';

/** What an agent makes in its folder for its runners: a k6 config without anything in it. */
export const agentFiles = { k6Config: 'k6-config.json' } as const;

/**
 * What looks after all runners of one machine, host or pod, in POSIX sh. It takes orders by lines on stdin and answers by
 * lines on stdout (protocol.ts); how those get there is its carrier's part. k6 does not outlive it:
 *
 *     conductor ── orders, a beat every 0.5 s ──▶ agent ── beats ──▶ watcher ── 3 s of silence, or no agent ──▶ sweep
 *               ◀── answers ────────────────────        └─ starts, signals ─▶ every k6 ◀── SIGTERM, 0.5 s, SIGKILL ─┘
 *
 * - An end of file is an end. A broken link or a frozen conductor gives none: that is what beats are for, and every order is one.
 *   Silence is counted in ticks of the watcher: a machine that stood still has missed none.
 * - Every runner leads a process group, so that what it starts goes with it. So does the watcher: whoever kills the agent with
 *   its group has not killed the watcher. Where there is no setsid, `set -m` makes groups (macOS).
 * - The watcher kills the agent before it sweeps: it cannot start anything behind its back. A runner that is just being
 *   started may not be seen by a sweep; it sees that `beats` is gone.
 * - A pipe in its folder is held open by the agent and by all that it started: where nobody holds it, all of them are gone,
 *   and whatever is left is swept by the next agent of that machine, or by the next loadctl.
 * - What a runner says goes by a pipe into files of a limited size, its beginning and its end; what is between is only counted.
 *   Whatever becomes of those files, the pipe is read: a runner never waits for its log.
 * - How a runner ended is told by the shell that started it. Where that was killed, the kernel asks the runner to end (setpriv,
 *   on Linux): whoever kills agent, watcher and shells at once leaves no k6. The agent tells that the runner is gone, a second
 *   after it found it so, as the shell may only be slow.
 * - A look at what is used takes no process. Its lines are not mixed with other answers: each is one write.
 */
const agentScript = `umask 077
trap '' PIPE
case $1 in /*) folder=$1 ;; *) folder=\${TMPDIR:-/tmp}/loadctl-$1 ;; esac
keep=$2
hit() { kill "-$1" "-$2" 2>/dev/null || kill "-$1" "$2" 2>/dev/null; }
everyone() { for file in "$folder"/*/pid; do { read -r pid <"$file"; } 2>/dev/null && echo "$pid"; done; }
sweep() {
  rm -f "$folder/beats"
  pids=$(everyone)
  for pid in $pids; do hit TERM "$pid"; done
  for try in 1 2 3 4 5; do [ -n "$(everyone)" ] || break; sleep 0.1 2>/dev/null; done
  for pid in $pids $(everyone); do hit KILL "$pid"; done
  for file in "$folder"/*/keeper; do { read -r pid <"$file"; } 2>/dev/null && hit KILL "$pid"; done
  [ "$keep" = keep ] && echo keep >"$folder/kept" && return
  for try in 1 2 3; do rm -rf "$folder" 2>/dev/null; [ -e "$folder" ] || return; sleep 1; done
}
watch() {
  exec 9<>"$folder/lock"
  heard= silent=0
  while sleep 1 9>&- && kill -0 "$1" 2>/dev/null; do
    beats=
    { read -r beats <"$folder/beats"; } 2>/dev/null
    if [ "$beats" = "$heard" ]; then silent=$((silent + 1)); else silent=0 heard=$beats; fi
    [ "$silent" -lt 3 ] || break
  done
  kill -KILL "$1" 2>/dev/null
  sweep
}
[ -z "$3" ] || { watch "$3"; exit; }

PATH=$PATH:/usr/local/bin:/opt/homebrew/bin:/snap/bin
mkdir "$folder" || exit 73
mkfifo "$folder/new"
exec 9<>"$folder/new"
mv "$folder/new" "$folder/lock"
# Whether somebody holds the lock of an agent's folder: else opening it waits for ever.
holds() { ( { : >"$1/lock" && echo held; } 2>/dev/null & sleep 1; kill "$!" ) 2>/dev/null; }
tidy() {
  for old in "\${folder%/*}"/loadctl-????????????????; do
    [ -O "$old" ] && [ ! -L "$old" ] && [ -p "$old/lock" ] && [ ! -e "$old/kept" ] && [ "$old" != "$folder" ] || continue
    [ -n "$(holds "$old")" ] || rm -rf "$old"
  done
}
leave() { sweep; hit KILL "$watcher"; exit "$1"; }
trap 'leave 75' HUP INT TERM
group= memory1=/sys/fs/cgroup/memory cpu1=/sys/fs/cgroup/cpu
{
  while IFS= read -r line; do
    case $line in
      0::*) group=/sys/fs/cgroup\${line#0::} ;;
      *:memory:*) [ -e "$memory1\${line#*:memory:}/memory.stat" ] && memory1=$memory1\${line#*:memory:} ;;
      *:cpu:* | *:cpu,*:* | *,cpu:*) [ -e "$cpu1/\${line#*:*:/}/cpu.cfs_quota_us" ] && cpu1=$cpu1/\${line#*:*:/} ;;
    esac
  done <"/proc/$$/cgroup"
} 2>/dev/null
page=$(getconf PAGESIZE 2>/dev/null)
own= tied=
command -v setsid >/dev/null 2>&1 && own=setsid
setpriv --pdeathsig TERM true >/dev/null 2>&1 && tied='setpriv --pdeathsig TERM'
apart() { [ -n "$own" ] || set -m 2>/dev/null; }
printf '%s\\n' "$script" >"$folder/agent"
echo '{}' >"$folder/${agentFiles.k6Config}"
printf '%12s\\n' 0 >"$folder/beats"
watcher=$(apart; $own sh "$folder/agent" "$folder" "$keep" $$ </dev/null >/dev/null 2>&1 & echo $!)
start() {
  mkdir -p "$folder/$1"
  left=$2
  while [ "$left" -gt 0 ]; do IFS= read -r line; printf '%s\\n' "$line"; left=$((left - 1)); done >"$folder/$1/command"
  ( exec 3>&1; look_after "$1" 4>&1 >/dev/null | keep_log "$1" ) 2>/dev/null &
}
look_after() {
  apart
  $own $tied env -i PATH="$PATH" HOME="\${HOME:-/}" sh "$folder/$1/command" </dev/null >&4 2>&4 3>&- 4>&- &
  command=$!
  { echo "$command" >"$folder/$1/pid" && [ -f "$folder/beats" ]; } || hit KILL "$command"
  echo "started $1 $command" >&3
  wait "$command"
  status=$?
  kill -KILL "-$command"
  rm -f "$folder/$1/pid"
  how=$status
  [ "$status" -le 128 ] || how=$(kill -l "$status")
  case $how in [A-Z]*) echo "ended $1 $how" >&3 ;; *) echo "ended $1 $status" >&3 ;; esac
}
keeper='echo $$ >"$1/keeper"; head -c ${logLimits.first} >"$1/${rawLog.first}"
LC_ALL=C dd bs=65536 2>"$1/passed" | tail -c ${logLimits.last} >"$1/${rawLog.last}"; rm -f "$1/keeper"'
keep_log() {
  $own sh -c "$keeper" loadctl-log "$folder/$1" 3>&-
  # Not every dd counts bytes.
  passed=unknown
  { while read -r number unit rest; do case $number:$unit in *:byte*) passed=$number ;; 0+0:records) passed=0 ;; esac; done <"$folder/$1/passed"; } 2>/dev/null
  echo "kept $1 $passed" >&3
}
lives() {
  kill -0 "$1" 2>/dev/null || return 1
  stat=
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null
  case $stat in *') Z '* | *') X '*) return 1 ;; esac
}
# Runners that are gone, and nobody took their pid away: what looks after them is gone, too, or stands still.
missing=
tell_missing() {
  before=$missing missing=
  for file in "$folder"/*/pid; do
    { read -r pid <"$file"; } 2>/dev/null || continue
    lives "$pid" && continue
    runner=\${file#"$folder/"} runner=\${runner%/pid}
    case $before in *" $runner "*) ;; *) missing="$missing $runner " && continue ;; esac
    kill -KILL "-$pid" 2>/dev/null
    rm -f "$file"
    echo "ended $runner ${unknownEnd}"
  done
}
signal() { { read -r pid <"$folder/$2/pid"; } 2>/dev/null && hit "$1" "$pid"; }
tell() { { while IFS= read -r line; do case $line in $3) echo "seen $1 $line" ;; *) break ;; esac; done <"$2"; } 2>/dev/null; }
pick() { { while IFS= read -r line; do case $line in $3) echo "seen $1 $line" ;; esac; done <"$2"; } 2>/dev/null; }
memory() {
  tell memory /proc/meminfo 'Mem*'
  for file in cpu.max memory.max memory.current; do tell "$file" "$group/$file" '*'; done
  pick memory.stat "$group/memory.stat" '*active_file *'
  pick cpu.stat "$group/cpu.stat" 'throttled_*'
  if [ ! -e "$group/memory.stat" ] && [ -e "$memory1/memory.stat" ]; then
    tell memory.max "$memory1/memory.limit_in_bytes" '*'
    tell memory.current "$memory1/memory.usage_in_bytes" '*'
    pick memory.stat "$memory1/memory.stat" '*active_file *'
    pick cpu.stat "$cpu1/cpu.stat" 'throttled_*'
    { read -r quota <"$cpu1/cpu.cfs_quota_us" && read -r period <"$cpu1/cpu.cfs_period_us"; } 2>/dev/null && echo "seen cpu.max $quota $period"
  fi
  [ -z "$page" ] || echo "seen page-size $page"
}
use() {
  tell machine /proc/stat 'cpu*'
  memory
  for file in "$folder"/*/pid; do
    { read -r pid <"$file"; } 2>/dev/null || continue
    runner=\${file#"$folder/"}
    tell "process-\${runner%/pid}" "/proc/$pid/stat" '*'
  done
  echo 'looked use'
}
# Whose what listens on a port (hexadecimal) is: a runner's own, or its children's; somebody else's; nobody's.
whose() {
  leader= whose=unknown
  { read -r leader <"$folder/$1/pid"; } 2>/dev/null
  [ -r /proc/net/tcp ] && whose=nobody
  # Not read from there line by line: bash seeks back after each, and the kernel then begins at the first socket again.
  sockets=$(cat /proc/net/tcp 2>/dev/null)
  while read -r slot local remote state queue timer retries uid timeout socket rest; do
    case $local:$state in *:$2:0A) ;; *) continue ;; esac
    whose=other
    for stat in /proc/[0-9]*/stat; do
      { read -r line <"$stat"; } 2>/dev/null || continue
      set -- "$1" "$2" \${line##*) }
      [ "$5" = "$leader" ] || continue
      case $(ls -l "\${stat%/stat}/fd") in *"socket:[$socket]"*) whose=own && break 2 ;; esac
    done
  done 2>/dev/null <<SOCKETS
$sockets
SOCKETS
  echo "port $1 $whose"
}
host() {
  memory
  echo "seen ports $(cat /proc/sys/net/ipv4/ip_local_port_range)"
  echo "seen platform $(uname -sm)"
  echo "seen cpus $(getconf _NPROCESSORS_ONLN)"
  echo "seen open-files $(ulimit -Hn)"
  echo "seen k6-path $(command -v "$1")"
  echo "seen k6-version $("$1" version | head -n 1)"
  echo 'looked host'
}
tidy 9>&- </dev/null >/dev/null &
echo "ready agent $folder"
beats=0 told=0
while IFS= read -r line; do
  beats=$((beats + 1))
  printf '%12s\\n' "$beats" 1<>"$folder/beats"
  case $line in
    '')
      kill -0 "$watcher" 2>/dev/null || break
      echo beat
      # Once a second: every other beat, or every one where an order took the other's place.
      [ "$((beats - told))" -lt 2 ] || { told=$beats && tell_missing; }
      ;;
    'now') echo "now clock $(date +%s.%N)" ;;
    'look use') use ;;
    'look host '*) host "\${line#look host }" </dev/null 2>/dev/null & ;;
    'whose '*)
      set -- $line
      whose "$2" "$3" </dev/null 2>/dev/null &
      ;;
    'run '*)
      set -- $line
      start "$2" "$3"
      ;;
    'end '*) signal TERM "\${line#end }" ;;
    'kill '*) signal KILL "\${line#kill }" ;;
    bye) break ;;
  esac
done
leave 0
`;

/**
 * The agent's command. Its script comes by stdin: whichever shell reads the command there, it reads one plain line. The agent
 * makes its `folder`: an absolute path, or letters and digits that name one in its temporary folder; `keep` leaves it there.
 */
export function agentCommand(folder: string, keep = false): Command {
  const read = `script=$(dd ibs=1 obs=9999 count=${Buffer.byteLength(agentScript)} 2>/dev/null); eval "$script"`;
  return { file: 'sh', args: ['-c', read, 'loadctl-agent', folder, keep ? 'keep' : 'remove'], stdin: agentScript };
}
