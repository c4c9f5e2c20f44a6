// as: gateway/src/look-up.ts
// breaks: stint/door | pg is behind the door "database"
import { Client } from 'pg';

export const client = new Client();
