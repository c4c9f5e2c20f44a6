// Part of npm run build: the console as static files, dist/index.html and dist/assets, as the gateway serves them.
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles clients/console; takes a fraction of a second, so it always runs. */
export async function bundleConsole(root: string): Promise<void> {
  const folder = join(root, 'clients/console');
  await mkdir(join(folder, 'dist/assets'), { recursive: true });
  await cp(join(folder, 'index.html'), join(folder, 'dist/index.html'));
  await build({
    entryPoints: { main: join(folder, 'src/main.tsx'), style: join(folder, 'src/style.css'), 'service-worker': join(folder, 'src/service-worker.ts') },
    outdir: join(folder, 'dist/assets'),
    bundle: true,
    format: 'esm',
    target: ['chrome129', 'firefox130', 'safari18'],
    minify: true,
    sourcemap: false,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    conditions: ['@stint/source'],
    legalComments: 'none',
    logLevel: 'warning',
  });
}
