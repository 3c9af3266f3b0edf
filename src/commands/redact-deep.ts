import type { Redact } from '../core/secrets.js';

/** Takes secrets out of every text inside a value. Names stay as they are: a password may be spelled like one. */
export function redactDeep<T>(value: T, redact: Redact): T {
  return deep(value, redact) as T;
}

function deep(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => deep(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === 'type' ? inner : deep(inner, redact)]));
}
