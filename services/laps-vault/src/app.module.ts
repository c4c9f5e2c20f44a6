import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import type { KeyProvider } from '@stint/crypto';
import type { Clock } from '@stint/kernel';
import type { Logger } from '@stint/host';
import { SubgraphModule } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { AccountAlarmSweep } from './account/account-alarm.sweep.ts';
import { AccountLock } from './account/account-lock.service.ts';
import { AccountDeviceResolver } from './account/account-device.resolver.ts';
import { AccountDeviceService } from './account/account-device.service.ts';
import { AccountReportService } from './account/account-report.service.ts';
import { AccountRepository } from './account/account.repository.ts';
import { AccountResolver, DeviceAccountsResolver, TenantAccountsResolver } from './account/account.resolver.ts';
import { AccountService } from './account/account.service.ts';
import { HistorySweep } from './account/history.sweep.ts';
import { PaceRepository } from './account/pace.repository.ts';
import { PaceSweep } from './account/pace.sweep.ts';
import { RotationService } from './account/rotation.service.ts';
import { VersionRepository } from './account/version.repository.ts';
import { CheckOutRepository } from './check-out/check-out.repository.ts';
import { CheckOutService } from './check-out/check-out.service.ts';
import { CheckOutSweep } from './check-out/check-out.sweep.ts';
import { DirectoryConsumer } from './directory/directory.consumer.ts';
import { DirectoryRepository } from './directory/directory.repository.ts';
import { DirectoryService } from './directory/directory.service.ts';
import { EntraAccountConsumer } from './entra-account/entra-account.consumer.ts';
import { EntraAccountRepository } from './entra-account/entra-account.repository.ts';
import { EntraDueSweep } from './entra-account/entra-due.sweep.ts';
import { ExportResolver } from './export/export.resolver.ts';
import { ExportService } from './export/export.service.ts';
import { OfflineKeyRepository } from './export/offline-key.repository.ts';
import { MessageExchange, type MessageLine } from './message-exchange.ts';
import { RevealRepository } from './reveal/reveal.repository.ts';
import { RevealResolver } from './reveal/reveal.resolver.ts';
import { RevealService } from './reveal/reveal.service.ts';
import { SealingService } from './reveal/sealing.service.ts';
import { CLOCK, KEYS, LOG, MESSAGE_LINE, NUDGE, type Nudge } from './tokens.ts';
import { ResealRepository } from './vault-key/reseal.repository.ts';
import { ResealSweep } from './vault-key/reseal.sweep.ts';
import { RetiredKeySweep } from './vault-key/retired-key.sweep.ts';
import { RewrapSweep } from './vault-key/rewrap.sweep.ts';
import { VaultKeyRepository } from './vault-key/vault-key.repository.ts';
import { VaultKeyResolver } from './vault-key/vault-key.resolver.ts';
import { VaultKeyService } from './vault-key/vault-key.service.ts';

const schemaFile = join(import.meta.dirname, '..', 'schema.graphql');

/** What the module gets from outside of Nest. */
export interface Surroundings {
  tenancy: Tenancy;
  clock: Clock;
  nudge: Nudge;
  keys: KeyProvider;
  log: Logger;
  line: MessageLine;
}

@Module({})
export class AppModule {
  static for({ tenancy, clock, nudge, keys, log, line }: Surroundings): DynamicModule {
    return {
      module: AppModule,
      imports: [SubgraphModule.for({ schemaFile, log })],
      providers: [
        { provide: Tenancy, useValue: tenancy },
        { provide: CLOCK, useValue: clock },
        { provide: NUDGE, useValue: nudge },
        { provide: KEYS, useValue: keys },
        { provide: MESSAGE_LINE, useValue: line },
        { provide: LOG, useValue: log },
        MessageExchange,
        DirectoryRepository,
        DirectoryService,
        DirectoryConsumer,
        VaultKeyRepository,
        VaultKeyService,
        VaultKeyResolver,
        ResealRepository,
        ResealSweep,
        RewrapSweep,
        RetiredKeySweep,
        AccountRepository,
        VersionRepository,
        PaceRepository,
        AccountLock,
        RotationService,
        AccountService,
        AccountDeviceService,
        AccountReportService,
        AccountResolver,
        TenantAccountsResolver,
        DeviceAccountsResolver,
        AccountDeviceResolver,
        EntraAccountRepository,
        EntraAccountConsumer,
        EntraDueSweep,
        RevealRepository,
        RevealService,
        SealingService,
        RevealResolver,
        CheckOutRepository,
        CheckOutService,
        CheckOutSweep,
        OfflineKeyRepository,
        ExportService,
        ExportResolver,
        AccountAlarmSweep,
        HistorySweep,
        PaceSweep,
      ],
    };
  }
}
