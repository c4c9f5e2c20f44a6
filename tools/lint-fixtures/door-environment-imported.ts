// as: libs/messaging/src/url.ts
// breaks: stint/door | env of node:process is behind the door "environment"
import { env } from 'node:process';

export const url = env['QUEUE_URL'];
