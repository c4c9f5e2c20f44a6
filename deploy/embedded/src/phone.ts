import { approvalChallenge } from '@stint/contracts';
import { expectType, type StintClient } from '@stint/sdk';
import { DemoApproveDocument, DemoLoginByCodeDocument, type DemoLoginByCodeQuery } from './generated/operations.ts';
import type { Person } from './person.ts';
import { codeOf } from './seed.ts';

/** What the phone's screen shows after scanning. */
export type ScannedLogin = NonNullable<DemoLoginByCodeQuery['loginRequestByCode']>;

/** A technician's phone: scans a login's QR code, shows what it is about, approves it with the passkey that never leaves the phone. */
export class Phone {
  readonly #owner: Person;
  readonly #totpUri: string;

  constructor(owner: Person, totpUri: string) {
    this.#owner = owner;
    this.#totpUri = totpUri;
  }

  get client(): StintClient {
    return this.#owner.client;
  }

  /** Reads the login request behind a QR code's address. */
  async scan(address: string): Promise<ScannedLogin> {
    const { loginRequestByCode } = await this.client.request(DemoLoginByCodeDocument, { code: codeFrom(address) });
    if (loginRequestByCode == null) throw new Error('The code is not known.');
    return loginRequestByCode;
  }

  /** Signs exactly what was shown and approves it; answers the grant's id. */
  async approve(address: string, shown: ScannedLogin, reason: string): Promise<string> {
    if (shown.tenant == null || shown.device == null || shown.shownNumber === null)
      throw new Error('The login request does not say where it comes from.');
    const challenge = approvalChallenge({
      purpose: 'login',
      technicianId: this.#owner.technicianId,
      loginRequestId: shown.id,
      tenantId: shown.tenant.id,
      tenantName: shown.tenantName,
      deviceId: shown.device.id,
      hostName: shown.hostName,
      accountKind: shown.accountKind,
      shownNumber: shown.shownNumber,
      durationSeconds: shown.sessionSeconds,
      reason,
      ticket: null,
    });
    const { id, accountKind, sessionSeconds } = shown;
    const input = { id, code: codeFrom(address), accountKind, sessionSeconds, reason, assertion: this.#owner.sign(challenge) };
    const { approveLogin } = await this.client.request(DemoApproveDocument, { input });
    const { grant } = expectType(approveLogin, 'LoginRequest');
    if (grant == null) throw new Error('The approval made no grant.');
    return grant.id;
  }

  /** The authenticator app's code. */
  totpCode(): string {
    return codeOf(this.#totpUri);
  }
}

function codeFrom(address: string): string {
  return new URL(address).pathname.split('/').at(-1) ?? '';
}
