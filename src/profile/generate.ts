import { writeFileSync } from 'node:fs';
import { editorSchema } from './json-schema.js';
import { referencePage } from './reference.js';

/** The JSON Schema file's text. */
export function schemaFile(): string {
  return `${JSON.stringify(editorSchema(), null, 2)}\n`;
}

/** Writes what is made from the profile's schema: the JSON Schema and the reference page (`npm run generate`). */
export function generate(paths: { readonly schema: string; readonly reference: string }): void {
  writeFileSync(paths.schema, schemaFile());
  writeFileSync(paths.reference, referencePage());
}
