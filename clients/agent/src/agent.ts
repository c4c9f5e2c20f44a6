import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { generatePassword } from '@stint/crypto';
import type { Logger, Running } from '@stint/host';
import { StintClient } from '@stint/sdk';
import { LinuxDriver } from './accounts/linux.driver.ts';
import { userNamespacesWork } from './accounts/user-namespaces.ts';
import { GraphqlControlPlane } from './control-plane/graphql.control-plane.ts';
import { Refused } from './control-plane/control-plane.ts';
import { Daemon } from './daemon.ts';
import { linuxClock } from './deadline/device-clock.ts';
import { readIdentity } from './enrollment/identity.ts';
import { OfflineChecker } from './offline/offline-checker.ts';
import { OfflineStore } from './offline/offline-store.ts';
import { FileStateStore } from './state/state-store.ts';

export interface AgentOptions {
  stateFolder: string;
  /** A private root made by `createPrivateRoot`; left out: the real system. */
  root?: string | undefined;
  log: Logger;
}

/** Runs the agent of an enrolled computer until it is closed. */
export async function startAgent({ stateFolder, root, log }: AgentOptions): Promise<Running> {
  const identity = existsSync(stateFolder) ? readIdentity(stateFolder) : null;
  if (!identity?.confirmed) throw new Refused(`This computer is not enrolled (state folder ${stateFolder}). Run stint-agent enroll first.`);
  if (root !== undefined) {
    const namespaces = await userNamespacesWork();
    if (!namespaces.works) throw new Refused(namespaces.wayOut);
  }
  const { deviceId, hpkeKeys: keys } = identity;
  const offline = new OfflineChecker({ store: new OfflineStore(stateFolder, keys), keys, deviceId, clock: linuxClock, log });
  const daemon = new Daemon({
    control: new GraphqlControlPlane(
      new StintClient({ url: identity.url, credential: { id: identity.credentialId, privateKey: identity.signingKey } }),
    ),
    driver: new LinuxDriver({ root: root === undefined ? undefined : resolve(root) }),
    store: new FileStateStore(stateFolder, (message) => log.error(message)),
    clock: linuxClock,
    log,
    generatePassword,
    stateFolder,
    root: root === undefined ? null : resolve(root),
    offline,
    codePage: `${identity.url}/app/offline#${deviceId}`,
  });
  const running = await daemon.start();
  log.info({ deviceId, server: identity.url }, 'Agent running.');
  return { url: identity.url, close: () => running.close() };
}
