/** A machine as ssh reaches it. */
export interface Destination {
  /** As the profile writes it. */
  readonly name: string;
  /** `user@host`, `host`, or an alias of the ssh config. */
  readonly target: string;
  readonly port?: string;
}

const written = /^((?:[^@]+@)?)(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/;

/** Reads `host`, `alias`, `user@host`, `host:port`, `[address]:port`. */
export function destinationOf(name: string): Destination {
  const [, user = '', bracketed, plain, port] = written.exec(name) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return { name, target: name };
  return { name, target: `${user}${host}`, ...(port === undefined ? {} : { port }) };
}
