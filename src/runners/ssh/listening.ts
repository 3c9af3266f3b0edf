/** Loopback as `/proc/net/tcp` and `tcp6` write it: 127.0.0.1, ::1. */
const loopbacks = ['0100007F', '00000000000000000000000001000000'];
const listening = '0A';

/** Whether a port is listened on beyond loopback, by the content of a Linux host's `/proc/net/tcp` and `tcp6`. */
export function listensBeyondLoopback(procNetTcp: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return procNetTcp.split('\n').some((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    return state === listening && local.endsWith(suffix) && !loopbacks.includes(local.slice(0, -suffix.length));
  });
}
