import { createLog, type Running } from '@stint/host';
import { connectBroadcast } from '@stint/messaging';
import { gatewayConfig } from './config.ts';
import { startGateway } from './gateway.ts';

/** Starts the gateway as a process's environment describes it, with nudges from the queue's broadcasts. */
export async function startGatewayFromEnv(env: Readonly<Record<string, string | undefined>>): Promise<Running> {
  const { queueUrl, ...config } = gatewayConfig(env);
  const log = createLog('gateway');
  const nudges = await connectBroadcast(queueUrl, (error) =>
    log.warn({ err: error }, 'nudges are interrupted; devices still check in at their interval'),
  );
  try {
    const gateway = await startGateway({ ...config, nudges, log });
    return {
      url: gateway.url,
      async close() {
        await gateway.close();
        await nudges.close();
      },
    };
  } catch (error) {
    await nudges.close();
    throw error;
  }
}
