import { approvalChallenge } from '@stint/contracts';
import { generateHpkeKeyPair, openEntraCredential } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import {
  DemoEntraGrantDocument,
  DemoExplainEntraAccessDocument,
  DemoRequestEntraAccessDocument,
  type DemoExplainEntraAccessQuery,
} from './generated/operations.ts';
import type { Person } from './person.ts';

/** How to sign in at Microsoft, as the technician's browser shows it. */
export interface EntraSignIn {
  userPrincipalName: string;
  pass: string;
}

/** What the rules say of a role, as the page shows it before anything is asked for. */
export type EntraOffer = NonNullable<DemoExplainEntraAccessQuery['explainAccess']> & {
  tenantId: string;
  tenantName: string;
  roleName: string;
};

/** What a technician may ask for. */
export async function entraOffer({ client }: Person, tenantId: string, roleName: string): Promise<EntraOffer> {
  const { tenant, explainAccess } = await client.request(DemoExplainEntraAccessDocument, { tenantId, entraRole: roleName });
  if (tenant == null || explainAccess == null) throw new Error('The tenant is not known.');
  return { ...explainAccess, tenantId, tenantName: tenant.name, roleName };
}

/** A technician's browser that asks for a role in Entra: the one-time credential is sealed to a key that it makes, and opens nowhere else. */
export class EntraRequest {
  readonly grantId: string;
  readonly #tenantId: string;
  readonly #technician: Person;
  readonly #privateKey: string;

  private constructor(grantId: string, tenantId: string, technician: Person, privateKey: string) {
    this.grantId = grantId;
    this.#tenantId = tenantId;
    this.#technician = technician;
    this.#privateKey = privateKey;
  }

  /** Signs exactly what is asked for with the technician's passkey, and asks. */
  static async make(technician: Person, offer: EntraOffer, reason: string): Promise<EntraRequest> {
    const { publicKey: recipientKey, privateKey } = await generateHpkeKeyPair();
    const { tenantId, tenantName, roleName, defaultSeconds: durationSeconds } = offer;
    const id = newId();
    const access = { tenantId, roleName, scope: '/', accountKind: 'JIT' as const, recipientKey, reason, ticket: null };
    const { technicianId } = technician;
    const shown = { purpose: 'entra-access' as const, ...access, technicianId, grantId: id, tenantName, durationSeconds };
    const input = { id, ...access, sessionSeconds: durationSeconds, assertion: technician.sign(approvalChallenge(shown)) };
    const { requestEntraAccess } = await technician.client.request(DemoRequestEntraAccessDocument, { input });
    const { grant } = expectType(requestEntraAccess, 'EntraAccessRequested');
    if (grant == null) throw new Error('Other people must say yes first.');
    return new EntraRequest(grant.id, tenantId, technician, privateKey);
  }

  /** The grant as it is now; throws when the access could not be made. */
  async grant() {
    const { grant } = await this.#technician.client.request(DemoEntraGrantDocument, { id: this.grantId });
    if (grant == null) throw new Error('The grant is not known.');
    if (grant.state === 'FAILED') throw new Error(`The access could not be made: ${grant.failure ?? '?'}`);
    return grant;
  }

  /** The one-time credential, opened; null while it is not there. */
  async signIn(): Promise<EntraSignIn | null> {
    const { entraCredential } = await this.grant();
    if (entraCredential == null) return null;
    const reader = { privateKey: this.#privateKey, tenantId: this.#tenantId, grantId: this.grantId };
    return { userPrincipalName: entraCredential.userPrincipalName, pass: await openEntraCredential(reader, entraCredential) };
  }
}
