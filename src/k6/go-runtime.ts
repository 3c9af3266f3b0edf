/** What of its host one k6 process may take as its own; a number is missing where it is not known. */
export interface HostShare {
  readonly memoryBytes?: number;
  readonly cpus?: number;
}

/** Go's own goal is 100: it collects garbage when the memory in use has doubled, which takes k6 a tenth of its CPU time. */
const lazyGoal = 800;
/** Of the memory that a runner may take, Go keeps within this; near it, it collects as often as it must. */
const limitShare = 0.7;
/** With less than this, Go's own ways are left alone. */
const leastLimitBytes = 400e6;

/**
 * Go's monitor thread (sysmon) goes to sleep whenever a process has nothing to do, and looks every 20 µs for a while after it
 * was woken. A k6 that waits for answers on one CPU wakes it all the time, which costs requests (docs/decisions/0014). With a trace of the scheduler it never goes to sleep, and looks 100 times a second; this trace
 * is written once in 24.8 days (2^31 - 1 ms), which log.ts knows. Source: sysmon() in Go's src/runtime/proc.go.
 */
const calmMonitor = `schedtrace=${2 ** 31 - 1}`;

/**
 * How Go runs a k6 process that has so much for itself: it collects garbage seldom while there is room, and several runners
 * of a host do not each spread over all of its CPUs, and its monitor thread keeps out of the way. The time that is not lost
 * goes to requests; `bench/overhead.js` shows how much. Variables of the Go runtime: https://pkg.go.dev/runtime#hdr-Environment_Variables
 */
export function goRuntime({ memoryBytes = 0, cpus }: HostShare): Record<string, string> {
  const limit = Math.floor(memoryBytes * limitShare);
  return {
    GODEBUG: calmMonitor,
    ...(limit < leastLimitBytes ? {} : { GOGC: String(lazyGoal), GOMEMLIMIT: String(limit) }),
    ...(cpus === undefined ? {} : { GOMAXPROCS: String(Math.max(1, Math.ceil(cpus))) }),
  };
}
