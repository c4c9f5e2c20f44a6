// as: gateway/src/nudge.ts
// breaks: stint/door | ioredis is behind the door "queue"
import { Redis } from 'ioredis';

export const redis = new Redis();
