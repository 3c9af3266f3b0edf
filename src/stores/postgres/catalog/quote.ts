/** A name as SQL reads it back: `we"ird` → `"we""ird"`. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL reads it back, whatever standard_conforming_strings says. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/** A pattern for LIKE that only `prefix` and what follows it fits. */
export function likePrefix(prefix: string): string {
  return quoteText(`${prefix.replace(/[\\%_]/g, '\\$&')}%`);
}
