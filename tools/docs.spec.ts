import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const documents = globSync(['*.md', 'docs/**/*.md', '{libs,services,clients}/*/*.md'], { cwd: root });

test.each(documents)('%s links to what exists', (document) => {
  const links = [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link]) => link ?? '');
  expect(links.filter((link) => !existsSync(join(root, dirname(document), link)))).toEqual([]);
});

test('every runtime dependency has its line in ADR 0008', () => {
  const adr = read('docs/adr/0008-runtime-dependencies.md');
  const packages = globSync(['{libs,services,clients}/*/package.json', 'gateway/package.json', 'deploy/embedded/package.json'], {
    cwd: root,
  });
  const dependencies = new Set(
    packages.flatMap((file) => Object.keys((JSON.parse(read(file)) as { dependencies?: object }).dependencies ?? {})),
  );
  const missing = [...dependencies].filter((name) => {
    const [scope, rest] = name.startsWith('@nestjs/') ? name.split('/') : [name];
    return (
      !name.startsWith('@stint/') &&
      !(adr.includes(`\`${name}\``) || (rest !== undefined && adr.includes(`\`${scope}/`) && adr.includes(`\`${rest}\``)))
    );
  });
  expect(missing).toEqual([]);
});

test('ADRs are short', () => {
  const long = globSync('docs/adr/0*.md', { cwd: root }).filter((file) => read(file).split('\n').length > 40);
  expect(long).toEqual([]);
});
