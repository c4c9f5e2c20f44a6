import { createLog, type Running } from '@stint/host';
import { connectBroadcast } from '@stint/messaging';
import { gatewayConfig } from './config.ts';
import { startGateway } from './gateway.ts';

/** Starts the gateway as a process's environment describes it, with hints from the queue's broadcasts. */
export async function startGatewayFromEnv(env: Readonly<Record<string, string | undefined>>): Promise<Running> {
  const { queueUrl, ...config } = gatewayConfig(env);
  const log = createLog('gateway');
  const hints = await connectBroadcast(queueUrl, (error) =>
    log.warn({ err: error }, 'hints are interrupted: devices check in at their interval, revoked tokens end by themselves'),
  );
  try {
    const gateway = await startGateway({ ...config, hints, log });
    return {
      url: gateway.url,
      async close() {
        await gateway.close();
        await hints.close();
      },
    };
  } catch (error) {
    await hints.close();
    throw error;
  }
}
