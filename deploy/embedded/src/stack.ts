import { entraConnectorConfig, startEntraConnector } from '@stint/entra-connector';
import { startGatewayFromEnv } from '@stint/gateway';
import { loadConfig, type Running } from '@stint/host';
import { jitPolicyConfig, startJitPolicy } from '@stint/jit-policy';
import { lapsVaultConfig, startLapsVault } from '@stint/laps-vault';
import { startTenants, tenantsConfig } from '@stint/tenants';
import type { Environments } from './environment.ts';

export interface StackOptions {
  /** Takes the first-administrator link, once, when nobody can sign in yet. */
  onFirstLink: (link: string) => void;
}

/** Starts all services and then the gateway in this process, each on its own port; closes them the other way round. */
export async function startStack(environments: Environments, options: StackOptions): Promise<Running> {
  const running: Running[] = [];
  const close = async () => {
    for (const part of running.toReversed()) await part.close();
  };
  try {
    const services = await Promise.allSettled([
      startTenants(loadConfig(tenantsConfig, environments.tenants), options),
      startJitPolicy(loadConfig(jitPolicyConfig, environments['jit-policy'])),
      startLapsVault(loadConfig(lapsVaultConfig, environments['laps-vault'])),
      startEntraConnector(loadConfig(entraConnectorConfig, environments['entra-connector'])),
    ]);
    running.push(...services.filter((started) => started.status === 'fulfilled').map((started) => started.value));
    const failed = services.find((started) => started.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const gateway = await startGatewayFromEnv(environments.gateway);
    running.push(gateway);
    return { url: gateway.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
