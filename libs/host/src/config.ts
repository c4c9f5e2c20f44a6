import { z } from 'zod';

/**
 * Reads a process's configuration once. A wrong or missing value ends the start with every such name and its rule;
 * values are never repeated, because some of them are secrets.
 */
export function loadConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: Readonly<Record<string, string | undefined>>,
): z.infer<z.ZodObject<Shape>> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `  ${name}: ${env[name] === undefined ? 'is missing' : issue.code === 'custom' ? issue.message : `is not valid (${issue.code}${'format' in issue ? ` ${String(issue.format)}` : ''})`}`;
  });
  throw new ConfigError(`The configuration is not complete:\n${problems.join('\n')}`);
}

/** The configuration is wrong; the message lists names and rules, never values. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Schema pieces that several processes share. */
export const configFields = {
  port: (byDefault: number) => z.coerce.number().int().min(0).max(65_535).default(byDefault),
  host: z.string().default('127.0.0.1'),
  /** `name=value,name=value` as a record. */
  record: z.string().transform((text, context) => {
    const record: Record<string, string> = {};
    for (const pair of text.split(',')) {
      const at = pair.indexOf('=');
      if (at < 1) {
        context.addIssue({ code: 'custom', message: 'must look like name=value,name=value' });
        return z.NEVER;
      }
      record[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
    }
    return record;
  }),
};
