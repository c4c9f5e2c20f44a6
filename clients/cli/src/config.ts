import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { UsageError } from './failure.ts';

/** Where the profiles are and which one is used: options first, then the environment, then what is usual. */
export function profileLocation(
  env: Readonly<Record<string, string | undefined>>,
  options: { configDir?: string | undefined; profile?: string | undefined },
): { configFolder: string; profileName: string } {
  return { configFolder: configFolder(env, options.configDir), profileName: options.profile ?? (env['STINT_PROFILE'] || 'default') };
}

function configFolder(env: Readonly<Record<string, string | undefined>>, chosen: string | undefined): string {
  if (chosen !== undefined) {
    if (chosen === '') throw new UsageError('--config-dir must not be empty.');
    return resolve(chosen);
  }
  // A relative XDG_CONFIG_HOME is invalid and to be ignored (XDG Base Directory Specification).
  const xdg = env['XDG_CONFIG_HOME'];
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(env['HOME'] || homedir(), '.config'), 'stint');
}
