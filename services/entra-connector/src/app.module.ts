import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import type { KeyProvider } from '@stint/crypto';
import type { Clock } from '@stint/kernel';
import type { Logger } from '@stint/host';
import { SubgraphModule } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { BreakGlassConsumer } from './break-glass/break-glass.consumer.ts';
import { BreakGlassRepository } from './break-glass/break-glass.repository.ts';
import { BreakGlassResolver, TenantBreakGlassResolver } from './break-glass/break-glass.resolver.ts';
import { RegistrationService } from './break-glass/registration.service.ts';
import { RotationService } from './break-glass/rotation.service.ts';
import { RotationSweep } from './break-glass/rotation.sweep.ts';
import { VaultNews } from './break-glass/vault-news.service.ts';
import { AccountFactsCache } from './account/account-facts.ts';
import { AccountRepository } from './account/account.repository.ts';
import { TenantAccountsResolver } from './account/account.resolver.ts';
import { AccountService } from './account/account.service.ts';
import { ChangeService } from './account/change.service.ts';
import { ConvergeSweep } from './account/converge.sweep.ts';
import { ConvergenceService } from './account/convergence.service.ts';
import { DecisionService } from './account/decision.service.ts';
import { LookService } from './account/look.service.ts';
import { OutcomeService } from './account/outcome.service.ts';
import { StepRepository } from './account/step.repository.ts';
import { ConnectionRepository } from './connection/connection.repository.ts';
import { ConnectionResolver } from './connection/connection.resolver.ts';
import { ConnectionService } from './connection/connection.service.ts';
import { ConsentRepository } from './connection/consent.repository.ts';
import { ConsentService } from './connection/consent.service.ts';
import { CredentialRepository } from './connection/credential.repository.ts';
import { CredentialService } from './connection/credential.service.ts';
import { DependentRepository } from './connection/dependent.repository.ts';
import { EntraAccessService } from './connection/entra-access.service.ts';
import { ExpirySweep } from './connection/expiry.sweep.ts';
import { Keyring } from './connection/keyring.service.ts';
import { LeaveSweep } from './connection/leave.sweep.ts';
import { EntraRemains } from './connection/remains.ts';
import { VerificationService } from './connection/verification.service.ts';
import { VerifySweep } from './connection/verify.sweep.ts';
import { DirectoryConsumer } from './directory/directory.consumer.ts';
import { DirectoryRepository } from './directory/directory.repository.ts';
import { DirectoryService } from './directory/directory.service.ts';
import { GrantConsumer } from './grant/grant.consumer.ts';
import { GrantRepository } from './grant/grant.repository.ts';
import { GrantAccessService } from './grant/grant-access.service.ts';
import { GrantResolver } from './grant/grant.resolver.ts';
import { StuckSweep } from './grant/stuck.sweep.ts';
import { EntraAccess } from './graph/directory.port.ts';
import { GuardedEntraAccess } from './graph/guarded-access.service.ts';
import { ProtectedAccountRepository } from './graph/protected-account.repository.ts';
import { UnguardedEntraAccess } from './graph/unguarded-access.ts';
import { GraphTransport } from './graph/graph.transport.ts';
import { MessageExchange, type MessageLine } from './message-exchange.ts';
import { ReconcileRepository } from './reconcile/reconcile.repository.ts';
import { ReconcileSweep } from './reconcile/reconcile.sweep.ts';
import { RetentionConsumer } from './retention/retention.consumer.ts';
import { RetentionRepository } from './retention/retention.repository.ts';
import { RetentionSweep } from './retention/retention.sweep.ts';
import { RewrapSweep } from './root-key/rewrap.sweep.ts';
import { WrappedRepository } from './root-key/wrapped.repository.ts';
import { CLOCK, GRAPH_SETTINGS, KEYS, LOG, MESSAGE_LINE, type GraphSettings } from './tokens.ts';
import { FoundRepository } from './user-source/found.repository.ts';
import { PersonRepository } from './user-source/person.repository.ts';
import { ReadingRepository } from './user-source/reading.repository.ts';
import { SourceLease } from './user-source/source-lease.ts';
import { SourceReadingService } from './user-source/source-reading.service.ts';
import { SourceRepository } from './user-source/source.repository.ts';
import { SourceRoundService } from './user-source/source-round.service.ts';
import { SourceTeller } from './user-source/source-teller.ts';
import { TechnicianGroupRepository } from './directory/technician-group.repository.ts';
import { UserSourceReadingResolver, UserSourceResolver } from './user-source/user-source.resolver.ts';
import { UserSourceService } from './user-source/user-source.service.ts';
import { ReadingForgetSweep, UserSourceSweep } from './user-source/user-source.sweep.ts';

const schemaFile = join(import.meta.dirname, '..', 'schema.graphql');

/** What the module gets from outside of Nest. */
export interface Surroundings {
  tenancy: Tenancy;
  clock: Clock;
  keys: KeyProvider;
  log: Logger;
  line: MessageLine;
  graph: GraphTransport;
  settings: GraphSettings;
}

@Module({})
export class AppModule {
  static for({ tenancy, clock, keys, log, line, graph, settings }: Surroundings): DynamicModule {
    return {
      module: AppModule,
      imports: [SubgraphModule.for({ schemaFile, log })],
      providers: [
        { provide: Tenancy, useValue: tenancy },
        { provide: CLOCK, useValue: clock },
        { provide: KEYS, useValue: keys },
        { provide: LOG, useValue: log },
        { provide: MESSAGE_LINE, useValue: line },
        { provide: GRAPH_SETTINGS, useValue: settings },
        { provide: GraphTransport, useValue: graph },
        MessageExchange,
        DirectoryRepository,
        DirectoryService,
        DirectoryConsumer,
        GrantRepository,
        GrantConsumer,
        GrantAccessService,
        GrantResolver,
        StuckSweep,
        AccountRepository,
        AccountService,
        TenantAccountsResolver,
        StepRepository,
        AccountFactsCache,
        LookService,
        ChangeService,
        DecisionService,
        OutcomeService,
        ConvergenceService,
        ConvergeSweep,
        ReconcileRepository,
        ReconcileSweep,
        ConnectionRepository,
        CredentialRepository,
        ConsentRepository,
        Keyring,
        EntraAccessService,
        { provide: UnguardedEntraAccess, useExisting: EntraAccessService },
        { provide: EntraAccess, useClass: GuardedEntraAccess },
        ProtectedAccountRepository,
        EntraRemains,
        DependentRepository,
        VerificationService,
        ConnectionService,
        CredentialService,
        ConsentService,
        ConnectionResolver,
        VerifySweep,
        ExpirySweep,
        LeaveSweep,
        WrappedRepository,
        RewrapSweep,
        RetentionRepository,
        RetentionConsumer,
        RetentionSweep,
        BreakGlassRepository,
        BreakGlassConsumer,
        BreakGlassResolver,
        TenantBreakGlassResolver,
        RegistrationService,
        RotationService,
        RotationSweep,
        VaultNews,
        SourceRepository,
        ReadingRepository,
        FoundRepository,
        PersonRepository,
        TechnicianGroupRepository,
        SourceLease,
        SourceTeller,
        SourceReadingService,
        SourceRoundService,
        UserSourceService,
        UserSourceResolver,
        UserSourceReadingResolver,
        UserSourceSweep,
        ReadingForgetSweep,
      ],
    };
  }
}
