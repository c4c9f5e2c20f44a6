import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';

const folder = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'stint-programs');
const bundles = new Map<string, string>();

/** A program's sources in one file, which starts in half the time: for programs that tests start over and over. */
export function bundled(program: string): string {
  const known = bundles.get(program);
  if (known !== undefined) return known;
  const { outputFiles } = buildSync({
    ...{ entryPoints: [program], bundle: true, write: false, platform: 'node', format: 'esm', conditions: ['@stint/source'] },
    // Packages of the older kind ask for Node's modules by `require`.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
  });
  mkdirSync(folder, { recursive: true });
  // More than one program is called main.ts.
  const place = createHash('sha256').update(program).digest('hex').slice(0, 8);
  const file = join(folder, `${basename(program, '.ts')}-${place}.mjs`);
  const draft = `${file}.${process.pid}`;
  for (const { contents } of outputFiles) writeFileSync(draft, contents);
  // Test files side by side may bundle the same.
  renameSync(draft, file);
  bundles.set(program, file);
  return file;
}
