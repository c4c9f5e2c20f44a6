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
