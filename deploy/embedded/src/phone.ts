import { keyApprovalChallenge } from '@stint/contracts';
import { privateKeyFromPem, signDetached } from '@stint/crypto';
import { expectType, StintClient } from '@stint/sdk';
import { DemoApproveDocument, DemoLoginByCodeDocument, type DemoLoginByCodeQuery } from './generated/operations.ts';
import { codeOf } from './seed.ts';
import type { DemoWorld } from './world.ts';

/** What the phone's screen shows after scanning. */
export type ScannedLogin = NonNullable<DemoLoginByCodeQuery['loginRequestByCode']>;

/** A technician's phone: scans a login's QR code, shows what it is about, approves it with the key that never leaves the phone. */
export class Phone {
  readonly client: StintClient;
  readonly #owner: DemoWorld['technician'];

  constructor(url: string, owner: DemoWorld['technician']) {
    this.#owner = owner;
    this.client = new StintClient({ url, credential: { id: owner.credentialId, privateKey: privateKeyFromPem(owner.privateKey) } });
  }

  /** Reads the login request behind a QR code's address. */
  async scan(address: string): Promise<ScannedLogin> {
    const { loginRequestByCode } = await this.client.request(DemoLoginByCodeDocument, { code: codeFrom(address) });
    if (loginRequestByCode == null) throw new Error('The code is not known.');
    return loginRequestByCode;
  }

  /** Signs exactly what was shown and approves it; answers the grant's id. */
  async approve(address: string, shown: ScannedLogin, reason: string): Promise<string> {
    if (shown.tenant == null || shown.device == null) throw new Error('The login request does not say where it comes from.');
    const challenge = keyApprovalChallenge({
      loginRequestId: shown.id,
      tenantId: shown.tenant.id,
      tenantName: shown.tenantName,
      deviceId: shown.device.id,
      hostName: shown.hostName,
      shownNumber: shown.shownNumber,
      durationSeconds: shown.sessionSeconds,
      reason,
      ticket: null,
    });
    const signature = signDetached(privateKeyFromPem(this.#owner.privateKey), challenge);
    const input = { id: shown.id, code: codeFrom(address), keyId: this.#owner.credentialId, signature, reason };
    const { approveLogin } = await this.client.request(DemoApproveDocument, { input });
    const { grant } = expectType(approveLogin, 'LoginRequest');
    if (grant == null) throw new Error('The approval made no grant.');
    return grant.id;
  }

  /** The authenticator app's code. */
  totpCode(): string {
    return codeOf(this.#owner.totpUri);
  }
}

function codeFrom(address: string): string {
  return new URL(address).pathname.split('/').at(-1) ?? '';
}
