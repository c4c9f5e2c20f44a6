import { join, resolve } from 'node:path';
import { loadConfig } from '@stint/host';
import { z } from 'zod';

const environment = z.object({
  STINT_ENROLLMENT_TOKEN: z.string().trim().min(1).optional(),
  /** What the terminal can do, for the session that is opened in it. */
  TERM: z
    .string()
    .regex(/^[\w.+-]{1,64}$/)
    .catch('dumb'),
  LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug']).default('info'),
});

/** What the agent takes from its environment. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): z.infer<typeof environment> {
  return loadConfig(environment, env);
}

/** Where the agent keeps its keys and its memory: as told, else inside the private root, else the system's place. */
export function stateFolder(options: { state?: string | undefined; root?: string | undefined }): string {
  if (options.state !== undefined) return resolve(options.state);
  return options.root === undefined ? '/var/lib/stint-agent' : join(resolve(options.root), 'var/lib/stint-agent');
}
