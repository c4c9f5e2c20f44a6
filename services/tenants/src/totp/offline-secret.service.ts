import { Inject, Injectable } from '@nestjs/common';
import { rolePermissions, type Actor } from '@stint/contracts';
import { deviceTotpSeed, offlineTotpInfo, offlineTotpPlace, sealTo, type KeyProvider, type Sealed } from '@stint/crypto';
import { isId, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { KEYS } from '../tokens.ts';
import { seedPlace } from './totp.domain.ts';
import { TotpRepository } from './totp.repository.ts';

/** TOTP secrets for one device alone, which opens them and nobody else. */
@Injectable()
export class OfflineSecretService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly totps: TotpRepository,
    @Inject(KEYS) private readonly keys: KeyProvider,
  ) {}

  /**
   * The secrets of technicians for the calling device, sealed to it. Those are left out who are not active, have no
   * confirmed TOTP, or hold no role for logins on the device's tenant or above it; who of the rest may log in is for
   * services/jit-policy to say. Seeds are unwrapped when the database is done.
   */
  async forDevice(device: Actor, technicianIds: readonly string[]): Promise<Map<Id, Sealed>> {
    const ids = technicianIds.filter(isId);
    // Across tenants, hence as the system: technicians live above the device's tenant, where the device cannot look.
    const prepared = device.kind !== 'device' ? null : await this.tenancy.asSystem((tx) => this.totps.offline(tx, device, ids));
    const secrets = new Map<Id, Sealed>();
    if (prepared === null) return secrets;
    const allowed = prepared.seeds.filter(({ roles }) => roles.some(({ role }) => rolePermissions[role].includes('login.approve')));
    for (const { technicianId, seed: wrapped } of allowed) {
      const seed = await this.keys.unwrap(wrapped, seedPlace(device.mspId, technicianId));
      const own = deviceTotpSeed(seed, device.id);
      const place = { publicKey: prepared.hpkeKey, info: offlineTotpInfo, aad: offlineTotpPlace(device.id, technicianId) };
      secrets.set(technicianId, await sealTo(place, own));
      seed.fill(0);
      own.fill(0);
    }
    return secrets;
  }
}
