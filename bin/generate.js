// Writes what is made from schemas in the code (the profile's JSON Schema and reference, the schemas of what `--json` prints), and llms.txt.
import { writeFileSync } from 'node:fs';
import { generate } from '../dist/profile/generate.js';
import { jsonSchemas } from '../dist/reporters/schemas/index.js';
import { inRoot } from './bootstrap/shell.js';
import { llmsText } from './llms.js';

generate({ schema: inRoot('schema', 'profile.schema.json'), reference: inRoot('docs', 'profile.md') });
for (const [name, text] of Object.entries(jsonSchemas())) writeFileSync(inRoot('schema', name), text);
writeFileSync(inRoot('llms.txt'), llmsText());
