import type { SeedValue } from '../../profile/sections/schema.js';

const isPlain = /^[A-Za-z_][\w-]*$/;
const hasMeaning = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** A key as YAML reads it back in a flow map. */
export function yamlKey(key: string): string {
  return isPlain.test(key) && !hasMeaning.test(key) ? key : JSON.stringify(key);
}

/** A value on one line. */
export function yamlValue(value: SeedValue): string {
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return yamlMap(value);
}

/** A map on one line: `{id: "user-{n}"}`. */
export function yamlMap(fields: Readonly<Record<string, SeedValue>>): string {
  return `{${Object.entries(fields)
    .map(([key, value]) => `${yamlKey(key)}: ${yamlValue(value)}`)
    .join(', ')}}`;
}

/** Lines set in by two blanks for each level. */
export function indented(lines: readonly string[], level = 1): string[] {
  return lines.map((line) => (line === '' ? '' : `${'  '.repeat(level)}${line}`));
}
