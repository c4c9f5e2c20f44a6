// Part of npm run build: the console as static files, as the gateway serves them below /app.
//   dist/web/index.html  dist/web/service-worker.js  dist/web/assets/<name>-<hash of its content>
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

const common: BuildOptions = {
  bundle: true,
  format: 'esm',
  target: ['chrome137', 'firefox130', 'safari18'],
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  conditions: ['@stint/source'],
  legalComments: 'none',
  logLevel: 'warning',
};

/** Bundles clients/console; takes a fraction of a second, so it always runs. */
export async function bundleConsole(root: string): Promise<void> {
  const folder = join(root, 'clients/console');
  const dist = join(folder, 'dist/web');
  await rm(join(dist, 'assets'), { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const { metafile } = await build({
    ...common,
    entryPoints: [join(folder, 'src/main.tsx'), join(folder, 'src/style.css')],
    outdir: join(dist, 'assets'),
    entryNames: '[name]-[hash]',
    metafile: true,
    absWorkingDir: root,
  });
  const assets = Object.keys(metafile.outputs).map((output) => `/app/${relative(dist, join(root, output))}`);
  const page = (await readFile(join(folder, 'index.html'), 'utf8')).replaceAll(
    /\/app\/assets\/(main|style)\.(js|css)/g,
    (_, name: string) => {
      const asset = assets.find((one) => one.startsWith(`/app/assets/${name}-`));
      if (asset === undefined) throw new Error(`The bundle has no ${name}.`);
      return asset;
    },
  );
  await writeFile(join(dist, 'index.html'), page);
  await build({
    ...common,
    format: 'iife',
    entryPoints: [join(folder, 'worker/service-worker.ts')],
    outfile: join(dist, 'service-worker.js'),
    define: { ASSETS: JSON.stringify(assets) },
  });
}
