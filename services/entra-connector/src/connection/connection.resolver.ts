import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import type { Principal } from '@stint/contracts';
import { notFound, type Id } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, perRequest, type RequestContext } from '@stint/subgraph';
import type {
  AddEntraCertificateInput,
  AddEntraSecretInput,
  BeginEntraConsentInput,
  ConnectEntraInput,
  DisconnectEntraInput,
  FinishEntraConsentInput,
  RemoveEntraCredentialInput,
  VerifyEntraConnectionInput,
} from '../generated/graphql.ts';
import { GRAPH_SETTINGS, type GraphSettings } from '../tokens.ts';
import { ConnectionService, type ShownConnection } from './connection.service.ts';
import { connectionView, setupView } from './connection.view.ts';
import { redirectUriOf } from './consent.domain.ts';
import { ConsentService } from './consent.service.ts';
import { CredentialService } from './credential.service.ts';

/** `Tenant.entraConnection`, and how it is made, looked at and ended. */
@Resolver('Tenant')
export class ConnectionResolver {
  readonly #redirectUri: string;

  constructor(
    private readonly connections: ConnectionService,
    private readonly credentials: CredentialService,
    private readonly consents: ConsentService,
    @Inject(GRAPH_SETTINGS) settings: GraphSettings,
  ) {
    this.#redirectUri = redirectUriOf(settings.publicUrl);
  }

  @ResolveReference()
  @Can('technician', 'client', 'device')
  resolveReference(reference: { id: Id }) {
    return { __typename: 'Tenant', id: reference.id };
  }

  @ResolveField()
  async entraConnection(@Parent() tenant: { id: Id }, @Context() context: RequestContext) {
    const actor = authorise(context.principal, 'entra.read');
    const loader = perRequest(
      context,
      'Entra connection of tenant',
      () =>
        new DataLoader<string, ShownConnection | null>(async (ids) => {
          const found = await this.connections.readAll(actor, ids);
          return ids.map((id) => found.get(id) ?? (found.has(id) ? null : notFound('tenant')));
        }),
    );
    const shown = await loader.load(tenant.id);
    return shown === null ? null : this.#view(shown);
  }

  @Query()
  @Can('entra.read')
  entraSetup() {
    return setupView(this.#redirectUri);
  }

  @Mutation()
  @Can('entra.manage')
  async connectEntra(@Caller() caller: Principal, @Args('input') input: ConnectEntraInput) {
    const { tenantId, entraTenantId, clientId, cloud = 'GLOBAL' } = input;
    return this.#view(await this.connections.begin(callerActor(caller), tenantId, { entraTenantId, clientId, cloud }));
  }

  @Mutation()
  @Can('entra.manage')
  async addEntraCertificate(@Caller() caller: Principal, @Args('input') input: AddEntraCertificateInput) {
    return this.#view(await this.credentials.addCertificate(callerActor(caller), input.tenantId));
  }

  @Mutation()
  @Can('entra.manage')
  async addEntraSecret(@Caller() caller: Principal, @Args('input') input: AddEntraSecretInput) {
    return this.#view(await this.credentials.addSecret(callerActor(caller), input.tenantId, input.secret, input.endsOn));
  }

  @Mutation()
  @Can('entra.manage')
  async removeEntraCredential(@Caller() caller: Principal, @Args('input') input: RemoveEntraCredentialInput) {
    return this.#view(await this.credentials.remove(callerActor(caller), input.tenantId, input.credentialId));
  }

  @Mutation()
  @Can('entra.manage')
  async beginEntraConsent(@Caller() caller: Principal, @Args('input') input: BeginEntraConsentInput) {
    return { __typename: 'EntraConsent', ...(await this.consents.begin(callerActor(caller), input.tenantId)) };
  }

  @Mutation()
  @Can('entra.manage')
  async finishEntraConsent(@Caller() caller: Principal, @Args('input') input: FinishEntraConsentInput) {
    const answer = { entraTenantId: input.entraTenantId ?? null, given: input.given, error: input.error ?? null };
    return this.#view(await this.consents.finish(callerActor(caller), input.state, answer));
  }

  @Mutation()
  @Can('entra.manage')
  async verifyEntraConnection(@Caller() caller: Principal, @Args('input') input: VerifyEntraConnectionInput) {
    return this.#view(await this.connections.verify(callerActor(caller), input.tenantId));
  }

  @Mutation()
  @Can('entra.manage')
  async disconnectEntra(@Caller() caller: Principal, @Args('input') input: DisconnectEntraInput) {
    return this.#view(await this.connections.disconnect(callerActor(caller), input.tenantId, input.giveUp ?? false));
  }

  #view(shown: ShownConnection) {
    return connectionView(shown, this.#redirectUri);
  }
}
