import { pino, type Logger, type LoggerOptions } from 'pino';

export type { Logger };

/** Fields that never reach a log line, wherever they stand in an object, up to two levels deep. */
const secretFields = ['password', 'token', 'code', 'seed', 'secret', 'link', 'qrPayload', 'privateKey', 'authorization', 'cookie', 'dpop'];

/** pino's options for one process. `level` is pino's; `silent` in tests. */
export function logOptions(name: string, level: string): LoggerOptions {
  return { name, level, redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[secret]' } };
}

/** A JSON logger for one process. */
export function createLog(name: string, level = 'info'): Logger {
  return pino(logOptions(name, level));
}
