import { startGateway, gatewayConfig } from '@stint/gateway';
import { loadConfig, type Running } from '@stint/host';
import { startJitPolicy, jitPolicyConfig } from '@stint/jit-policy';
import { startTenants, tenantsConfig } from '@stint/tenants';
import type { Environments } from './environment.ts';

export interface StackOptions {
  /** Takes the first-administrator link, once, when nobody can sign in yet. */
  onFirstLink: (link: string) => void;
}

/** Starts all services and then the gateway in this process, each with its own port; closes them in the other order. */
export async function startStack(environments: Environments, options: StackOptions): Promise<Running> {
  const running: Running[] = [];
  const close = async () => {
    for (const part of running.reverse()) await part.close();
  };
  try {
    const [tenants, jitPolicy] = await Promise.allSettled([
      startTenants(loadConfig(tenantsConfig, environments.tenants), { onFirstLink: options.onFirstLink }),
      startJitPolicy(loadConfig(jitPolicyConfig, environments['jit-policy'])),
    ]);
    for (const started of [tenants, jitPolicy]) if (started.status === 'fulfilled') running.push(started.value);
    for (const started of [tenants, jitPolicy]) if (started.status === 'rejected') throw started.reason;
    const gateway = await startGateway(loadConfig(gatewayConfig, environments.gateway));
    running.push(gateway);
    return { url: gateway.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
