// Loaded before Jest and before each of its workers: has Node run our TypeScript, decorators included, and gives tests what they
// import from @jest/globals.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import './worker.mjs';

const options = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', '.swcrc'), 'utf8'));
const globals = new URL('./globals.mjs', import.meta.url).href;
process.setSourceMapsEnabled(true);

registerHooks({
  resolve: (specifier, context, next) => (specifier === '@jest/globals' ? { url: globals, shortCircuit: true } : next(specifier, context)),
  load(url, context, next) {
    // A test file comes with a query, so that it is run anew.
    const [address] = url.split('?');
    if (!address.startsWith('file:') || !address.endsWith('.ts') || address.includes('/node_modules/')) return next(url, context);
    const filename = fileURLToPath(address);
    const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename, swcrc: false });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
