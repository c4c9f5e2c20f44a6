import { Inject, Injectable } from '@nestjs/common';
import { rootKeyIdOf, signClientAssertion, type KeyProvider } from '@stint/crypto';
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

  /** A credential under the current root key; opened there before it is answered. */
  async rewrapped(credential: Credential): Promise<Buffer> {
    return this.#opened(credential, async (secret) => {
      const wrapped = await this.wrap(secret, credential);
      const again = await this.provider.unwrap(wrapped, credentialPlace(credential));
      const same = again.equals(secret) && rootKeyIdOf(wrapped) === this.provider.rootKeyId;
      again.fill(0);
      if (!same) throw new Error(`The key provider opens something else for credential ${credential.id}.`);
      return wrapped;
    });
  }

  async #prove({ clientId }: EntraConnection, credential: Credential, audience: string): Promise<Proof> {
    return this.#opened<Proof>(credential, async (secret) => {
      if (credential.thumbprintS256 === null) return { client_secret: secret.toString('utf8') };
      const claims = { clientId, audience, thumbprintS256: credential.thumbprintS256, now: this.clock.now() };
      return { client_assertion: await signClientAssertion(secret, claims), client_assertion_type: assertionType };
    });
  }

  async #opened<Result>(credential: Credential, work: (secret: Buffer) => Promise<Result>): Promise<Result> {
    const secret = await this.provider.unwrap(credential.wrapped, credentialPlace(credential));
    try {
      return await work(secret);
    } finally {
      secret.fill(0);
    }
  }
}
