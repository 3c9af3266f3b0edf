/** What a host's agent says, a line each. */
export type Answer =
  | { readonly type: 'fact'; readonly name: string; readonly value: string }
  | { readonly type: 'ready'; readonly folder: string }
  | { readonly type: 'beat' }
  | { readonly type: 'now'; readonly seconds: number }
  /** A line of a file that tells what the host or a runner has used, and after the last one `looked`. */
  | { readonly type: 'seen'; readonly of: string; readonly line: string }
  | { readonly type: 'looked' }
  | { readonly type: 'started'; readonly runner: string; readonly pid: number }
  | { readonly type: 'ended'; readonly runner: string; readonly status: number };

/** Reads a line of an agent; undefined for one that is not its own (the greeting of a login script). */
export function readAnswer(line: string): Answer | undefined {
  const [, word = '', rest = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
  const [first = '', ...others] = rest.split(' ');
  switch (word) {
    case 'fact':
      return { type: 'fact', name: first, value: others.join(' ') };
    case 'ready':
      return { type: 'ready', folder: rest };
    case 'beat':
      return { type: 'beat' };
    case 'now':
      return { type: 'now', seconds: Number.parseFloat(rest) };
    case 'seen':
      return { type: 'seen', of: first, line: others.join(' ') };
    case 'looked':
      return { type: 'looked' };
    case 'started':
      return { type: 'started', runner: first, pid: Number(others[0]) };
    case 'ended':
      return { type: 'ended', runner: first, status: Number(others[0]) };
    default:
      return undefined;
  }
}
