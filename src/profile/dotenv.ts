const assignment =
  /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*(?:'((?:\\'|[^'])*)'|"((?:\\"|[^"])*)"|`((?:\\`|[^`])*)`|([^#\r\n]*))[ \t]*(?:#.*)?$/gm;

/**
 * Reads a `.env` file: `NAME=value` lines, `export`, comments, and values in quotes that may span lines. Inside double
 * quotes `\n`, `\r`, `\t` and `\"` are escapes; all else is as it is written. A later line wins.
 */
export function parseDotenv(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const [, name = '', single, double, tick, bare] of text.replace(/^\uFEFF/, '').matchAll(assignment)) {
    variables.set(name, single ?? tick ?? (double === undefined ? (bare ?? '').trim() : readEscapes(double)));
  }
  return variables;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };

function readEscapes(text: string): string {
  return text.replace(/\\([nrt"\\])/g, (_, letter: string) => escapes[letter] ?? letter);
}
