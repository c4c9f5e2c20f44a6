import { pino, type Logger } from 'pino';

export type { Logger };

/** Fields that never reach a log line, wherever in an object they stand one or two levels deep. */
const secretFields = ['password', 'token', 'code', 'seed', 'secret', 'link', 'qrPayload', 'privateKey', 'authorization', 'cookie', 'dpop'];

/** A JSON logger for one process. `level` is pino's; `silent` in tests. */
export function createLog(name: string, level = 'info'): Logger {
  return pino({ name, level, redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[secret]' } });
}
