import { Inject, Injectable } from '@nestjs/common';
import { signClientAssertion, type KeyProvider } from '@stint/crypto';
import type { Clock } from '@stint/kernel';
import { addressesOf } from '../graph/cloud.domain.ts';
import type { Urgency } from '../graph/directory.port.ts';
import type { GraphCaller } from '../graph/graph.transport.ts';
import { assertionType, type Proof } from '../graph/token.source.ts';
import { CLOCK, GRAPH_SETTINGS, KEYS, type GraphSettings } from '../tokens.ts';
import type { EntraConnection } from './connection.domain.ts';
import { credentialPlace, type Credential } from './credential.domain.ts';

/** The only place where a credential is unwrapped, and that for the moment of one proof. Asks the key provider: never inside a transaction. */
@Injectable()
export class Keyring {
  constructor(
    @Inject(KEYS) private readonly provider: KeyProvider,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(GRAPH_SETTINGS) private readonly settings: GraphSettings,
  ) {}

  async wrap(secret: Buffer, place: Pick<Credential, 'mspId' | 'tenantId' | 'id'>): Promise<Buffer> {
    return this.provider.wrap(secret, credentialPlace(place));
  }

  /** A caller of Graph that proves itself with this credential. */
  caller(connection: EntraConnection, credential: Credential, urgency: Urgency): GraphCaller {
    const { entraTenantId, clientId, cloud } = connection;
    return {
      ...{ key: credential.id, entraTenantId, clientId, urgency },
      addresses: addressesOf(cloud, this.settings.emulatorUrl),
      prove: (audience) => this.#prove(connection, credential, audience),
    };
  }

  async #prove({ clientId }: EntraConnection, credential: Credential, audience: string): Promise<Proof> {
    const secret = await this.provider.unwrap(credential.wrapped, credentialPlace(credential));
    try {
      if (credential.thumbprintS256 === null) return { client_secret: secret.toString('utf8') };
      const claims = { clientId, audience, thumbprintS256: credential.thumbprintS256, now: this.clock.now() };
      return { client_assertion: await signClientAssertion(secret, claims), client_assertion_type: assertionType };
    } finally {
      secret.fill(0);
    }
  }
}
