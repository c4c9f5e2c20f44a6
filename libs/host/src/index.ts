export { loadConfig, ConfigError, configFields } from './config.ts';
export { serviceConfig } from './service-config.ts';
export { createLog, logOptions, type Logger } from './log.ts';
export { runProcess, type Running } from './running.ts';
