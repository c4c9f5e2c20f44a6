import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { publicKeyX } from '@stint/crypto';
import { StintClient } from '@stint/sdk';
import { Refused } from '../control-plane/control-plane.ts';
import { EnrollDeviceDocument, type EnrollDeviceInput } from '../generated/operations.ts';
import { confirmIdentity, makeIdentity, readIdentity, type Identity } from './identity.ts';
import { joinedDomain } from './joined-domain.ts';

export interface EnrollOptions {
  url: string;
  token: string;
  stateFolder: string;
  /** The private root that stands for the computer; null: this computer. */
  root: string | null;
  /** The computer's name; its own when left out. */
  hostName?: string | undefined;
}

/** Asks the server to enrol; throws Refused when it says no. */
export type EnrollDevice = (url: string, input: EnrollDeviceInput) => Promise<{ deviceId: string; credentialId: string }>;

/**
 * Enrols this computer. Ids and keys are on disk before the server hears of them and stay the same until it has
 * confirmed them, so that the call may be repeated after a crash or a lost answer. Confirmed already: nothing happens.
 */
export async function enroll(options: EnrollOptions, ask: EnrollDevice = askServer): Promise<Identity> {
  const { url, token, stateFolder, root } = options;
  const known = readIdentity(stateFolder);
  if (known?.confirmed) {
    if (known.url !== url)
      throw new Refused(`This computer is enrolled at ${known.url} already. Remove ${stateFolder} to enrol it elsewhere.`);
    return known;
  }
  const identity = known?.url === url ? known : await makeIdentity(stateFolder, url);
  const answer = await ask(url, {
    token,
    deviceId: identity.deviceId,
    credentialId: identity.credentialId,
    publicKey: publicKeyX(identity.signingKey),
    hpkeKey: identity.hpkeKeys.publicKey,
    hostName: options.hostName ?? hostname(),
    platform: platform(),
    domain: joinedDomain(root),
    hardwareId: hardwareId(root),
  });
  if (answer.deviceId !== identity.deviceId || answer.credentialId !== identity.credentialId)
    throw new Refused('The server answered with ids that this agent did not choose.');
  confirmIdentity(stateFolder, identity);
  return { ...identity, confirmed: true };
}

/** What stays the same when this machine is enrolled again: a hash of its machine id, which itself is to be kept secret (machine-id(5)). */
export function hardwareId(root: string | null): string {
  const machineId = readFileSync(join(root ?? '/', 'etc', 'machine-id'), 'utf8').trim();
  if (!/^[0-9a-f]{32}$/.test(machineId))
    throw new Refused('This computer has no machine id in /etc/machine-id. Make one with: systemd-machine-id-setup');
  return createHash('sha256').update(`stint-hardware-v1\n${machineId}`).digest('hex');
}

function platform(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    return name?.slice(0, 100) || 'Linux';
  } catch {
    return 'Linux';
  }
}

const askServer: EnrollDevice = async (url, input) => {
  const { enrollDevice: answer } = await new StintClient({ url }).request(EnrollDeviceDocument, { input });
  if (answer.__typename !== 'DeviceEnrollment') throw new Refused(answer.message);
  return { deviceId: answer.device.id, credentialId: answer.credentialId };
};
