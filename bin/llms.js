import { readFileSync } from 'node:fs';
import { inRoot } from './bootstrap/shell.js';

/** llms.txt: docs/README.md, as it reads from the top of the project, below what the project is. */
export function llmsText() {
  const { name, description } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  const [, ...sections] = readFileSync(inRoot('docs', 'README.md'), 'utf8').split(/^(?=## )/m);
  const links = sections
    .join('')
    .replaceAll(/\]\((?!https?:)([^)]+)\)/g, (_, path) => `](${path.startsWith('../') ? path.slice(3) : `docs/${path}`})`);
  return `# ${name}\n\n> ${description}.\n\n${links}`;
}
