import { runProcess } from '@stint/host';
import { startGatewayFromEnv } from './start-from-env.ts';

await runProcess(() => startGatewayFromEnv(process.env));
