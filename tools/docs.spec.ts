import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

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

describe('the tests that a table of promises names exist', () => {
  const specs = globSync('{libs,services,clients,gateway,deploy,e2e,tools}/**/*spec.ts', {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path),
  });

  /** The files that are called so: in the package, or anywhere when a path is named. No name: all of the package. */
  function called(name: string, packageName: string): string[] {
    const end = name === '' ? '' : `/${name.replace(/\.ts$/, '')}.ts`;
    return specs.filter((spec) => `/${spec}`.endsWith(end) && (name.includes('/') || spec.startsWith(`${packageName}/`)));
  }

  /** Names of files are in backticks, parts of the names of their tests follow in quotes. */
  function missing(cell: string, usual: string, packageName: string): string[] {
    const wrong: string[] = [];
    let files = called(usual, packageName);
    for (const [said, title, name = ''] of cell.matchAll(/"([^"]+)"|`([^`]+)`/g)) {
      // A package's name before its file: `libs/crypto` `passkey.spec`.
      if (/^(e2e|(libs|services|clients)\/[^/]+)$/.test(name)) files = called('', (packageName = name));
      else if (/[.-]spec(\.ts)?$/.test(name)) {
        files = called(name, packageName);
        if (files.length === 0) wrong.push(said);
      } else if (title !== undefined && !files.some((file) => read(file).includes(title.replace(/…$/, ''))))
        wrong.push(`${said} in ${files.join(' ') || 'no file'}`);
    }
    return /["`]/.test(cell) ? wrong : [`no test: ${cell}`];
  }

  const tables = documents.flatMap((document) =>
    [...read(document).matchAll(/^\| *promise *\| *test\b([^|]*)\|\n\|[-| ]+\|\n((?:\|.*\n)+)/gim)].map(
      ([, note = '', rows = '']): [string, string, string] => [document, /`([^`]+spec)`/.exec(note)?.[1] ?? '', rows],
    ),
  );
  test.each(tables)('%s %s', (document, usual, rows) => {
    const cells = rows
      .trim()
      .split('\n')
      .map((row) => row.split('|').at(-2)?.trim() ?? '');
    expect(cells.flatMap((cell) => missing(cell, usual, dirname(document)))).toEqual([]);
  });

  test('in every package that makes promises', () => {
    expect(tables.map(([document]) => dirname(document))).toEqual(
      expect.arrayContaining(['services/jit-policy', 'services/tenants', 'services/laps-vault', 'clients/agent']),
    );
    expect(missing('`no-such.spec`, `app.spec` "what nobody tests"', '', 'services/tenants').length).toBeGreaterThan(1);
  });
});

test('ADRs are short', () => {
  const long = globSync('docs/adr/0*.md', { cwd: root }).filter((file) => read(file).split('\n').length > 40);
  expect(long).toEqual([]);
});
