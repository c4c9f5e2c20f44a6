import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { z } from 'zod';
import { configFields, loadConfig } from '@stint/host';

const environment = z.object({
  /** The gateway's port. */
  PORT: configFields.port(4000),
  /** Where everything is kept. */
  STINT_DATA: z.string().min(1).default('.stint'),
});

/** What the launcher and the demo take from their environment. */
export function readConfig(): { port: number; dataDirectory: string } {
  const values = loadConfig(environment, process.env);
  return { port: values.PORT, dataDirectory: resolve(values.STINT_DATA) };
}

// Where Node keeps the compiled form of all that is loaded; `npm run build` fills it.
export const compileCache = fileURLToPath(new URL('../../../node_modules/.cache/stint-compile', import.meta.url));

/** The environment of the installation's process: ours, and where compiled code is kept, which halves the time to load. */
export function installationEnvironment(): Record<string, string | undefined> {
  return { ...process.env, NODE_COMPILE_CACHE: compileCache };
}
