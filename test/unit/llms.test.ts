import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string) => readFileSync(`${root}${name}`, 'utf8');

test('llms.txt is what npm run generate makes of docs/README.md', () => {
  const program = "import { llmsText } from './bin/llms.js'; process.stdout.write(llmsText());";
  const made = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' });
  expect(read('llms.txt')).toBe(made);
});

test('it names each page once, with one sentence, and only what is there', () => {
  const entries = [...read('llms.txt').matchAll(/^- \[[^\]]+\]\(([^)]+)\): (.+)$/gm)].map(([, path = '', sentence = '']) => ({
    path,
    sentence,
  }));
  const pages = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md') && name !== 'README.md');
  expect(entries.map(({ path }) => path).sort()).toEqual(expect.arrayContaining(pages.map((name) => `docs/${name}`)));
  expect(new Set(entries.map(({ path }) => path)).size).toBe(entries.length);
  expect(entries.filter(({ path }) => !existsSync(`${root}${path}`))).toEqual([]);
  expect(entries.filter(({ sentence }) => !/^[^.]+\.$/.test(sentence.replaceAll(/`[^`]+`/g, '')))).toEqual([]);
});
