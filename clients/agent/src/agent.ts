import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { generateLapsPassword, generatePassword } from '@stint/crypto';
import type { Logger, Running } from '@stint/host';
import { StintClient } from '@stint/sdk';
import { LinuxDriver } from './accounts/linux.driver.ts';
import { ShadowTools } from './accounts/shadow-tools.ts';
import { userNamespacesWork } from './accounts/user-namespaces.ts';
import { GraphqlControlPlane } from './control-plane/graphql.control-plane.ts';
import { Refused } from './control-plane/control-plane.ts';
import { Daemon } from './daemon.ts';
import { linuxClock } from './deadline/device-clock.ts';
import { graphqlKeyServer } from './enrollment/graphql.key-server.ts';
import { readIdentity } from './enrollment/identity.ts';
import { KeyRotation, type DeviceKey } from './enrollment/key-rotation.ts';
import { GraphqlLapsServer } from './laps/graphql.laps-server.ts';
import { LapsJournal } from './laps/laps-journal.ts';
import { LapsKeeper } from './laps/laps-keeper.ts';
import { LinuxLapsDriver } from './laps/linux.laps-driver.ts';
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
  const client = (credential: DeviceKey) => new StintClient({ url: identity.url, credential });
  const control = new GraphqlControlPlane(client({ id: identity.credentialId, privateKey: identity.signingKey }));
  const vault = new GraphqlLapsServer(client({ id: identity.credentialId, privateKey: identity.signingKey }));
  const rotation = new KeyRotation({
    folder: stateFolder,
    identity,
    server: graphqlKeyServer(identity.url),
    log,
    now: () => linuxClock.read().wallMs,
    use: (key) => {
      control.use(client(key));
      vault.use(client(key));
    },
  });
  const system = { root: root === undefined ? undefined : resolve(root) };
  const journal = new LapsJournal(stateFolder, keys);
  const daemon = new Daemon({
    control,
    driver: new LinuxDriver({ ...system, breakGlassNames: () => journal.names }),
    store: new FileStateStore(stateFolder, (message) => log.error(message)),
    clock: linuxClock,
    log,
    generatePassword,
    stateFolder,
    root: system.root ?? null,
    offline,
    laps: new LapsKeeper({
      ...{ server: vault, driver: new LinuxLapsDriver(new ShadowTools(system)), journal, clock: linuxClock, log },
      generatePassword: generateLapsPassword,
    }),
    codePage: `${identity.url}/app/offline#${deviceId}`,
  });
  const running = await daemon.start();
  log.info({ deviceId, server: identity.url }, 'Agent running.');
  const stopping = new AbortController();
  const keeping = keepKey(rotation, stopping.signal, log);
  return {
    url: identity.url,
    close: async () => {
      stopping.abort();
      await Promise.all([running.close(), keeping]);
    },
  };
}

/** At once, where a change of the key was cut short; then every hour, and every minute while one is under way. */
async function keepKey(rotation: KeyRotation, signal: AbortSignal, log: Logger): Promise<void> {
  while (!signal.aborted) {
    const isUnderWay = await rotation.run().catch((error: unknown) => {
      log.warn(
        { detail: error instanceof Error ? error.message : String(error) },
        'The key of this computer could not be changed. Trying again.',
      );
      return true;
    });
    await pause(isUnderWay ? 60_000 : 3_600_000, undefined, { signal }).catch(() => undefined);
  }
}
