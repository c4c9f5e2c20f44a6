import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import type { Logger } from '@stint/host';
import { SubgraphModule } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { AccessService } from './access/access.service.ts';
import { ExplanationResolver } from './access/explanation.resolver.ts';
import { ExplanationService } from './access/explanation.service.ts';
import { RecheckRepository } from './access/recheck.repository.ts';
import { RecheckService } from './access/recheck.service.ts';
import { RecheckSweep } from './access/recheck.sweep.ts';
import { AccessRequestEnding } from './access-request/access-request-ending.ts';
import { AccessRequestRepository } from './access-request/access-request.repository.ts';
import { AccessRequestResolver, TenantAccessRequestsResolver } from './access-request/access-request.resolver.ts';
import { AccessRequestService } from './access-request/access-request.service.ts';
import { AccessRequestSubjectService } from './access-request/access-request-subject.service.ts';
import { AccessRequestSweep } from './access-request/access-request.sweep.ts';
import { AccessRequestsService } from './access-request/access-requests.service.ts';
import { AccessRuleRepository } from './access-rule/access-rule.repository.ts';
import { AccessRuleResolver, TenantAccessRulesResolver } from './access-rule/access-rule.resolver.ts';
import { AccessRuleService } from './access-rule/access-rule.service.ts';
import { AccountRepository } from './device-state/account.repository.ts';
import { AccountService } from './device-state/account.service.ts';
import { StrayAccountRepository } from './device-state/stray-account.repository.ts';
import { DeviceStateResolver, TechnicianResolver } from './device-state/device-state.resolver.ts';
import { DeviceStateService } from './device-state/device-state.service.ts';
import { DeviceStateSweep } from './device-state/device-state.sweep.ts';
import { DeviceWorkService } from './device-state/device-work.service.ts';
import { DirectoryConsumer } from './directory/directory.consumer.ts';
import { DirectoryRepository } from './directory/directory.repository.ts';
import { DirectoryService } from './directory/directory.service.ts';
import { GrantRepository } from './grant/grant.repository.ts';
import { EntraAccessResolver } from './entra/entra-access.resolver.ts';
import { EntraAccessService } from './entra/entra-access.service.ts';
import { EntraConnectionRepository } from './entra/entra-connection.repository.ts';
import { EntraConsumer } from './entra/entra.consumer.ts';
import { EntraGrantRepository } from './entra/entra-grant.repository.ts';
import { EntraGrantService } from './entra/entra-grant.service.ts';
import { EntraRetentionRepository } from './entra/entra-retention.repository.ts';
import { EntraRetentionSweep } from './entra/entra-retention.sweep.ts';
import { EntraWorkService } from './entra/entra-work.service.ts';
import { GrantEvidenceService } from './grant/grant-evidence.service.ts';
import { GrantLifeService } from './grant/grant-life.service.ts';
import { DeviceGrantsResolver, GrantResolver, TechnicianGrantsResolver, TenantGrantsResolver } from './grant/grant.resolver.ts';
import { GrantService } from './grant/grant.service.ts';
import { GrantSweep } from './grant/grant.sweep.ts';
import { ApprovalOutcomeService } from './login/approval-outcome.service.ts';
import { ApprovalResolver } from './login/approval.resolver.ts';
import { ApprovalService } from './login/approval.service.ts';
import { LoginConsumer } from './login/login.consumer.ts';
import { LoginRepository } from './login/login.repository.ts';
import { LoginRetentionRepository } from './login/login-retention.repository.ts';
import { LoginRetentionSweep } from './login/login-retention.sweep.ts';
import { LoginResolver } from './login/login.resolver.ts';
import { LoginService } from './login/login.service.ts';
import { LoginSweep } from './login/login.sweep.ts';
import { PromptRepository } from './login/prompt.repository.ts';
import { PromptService } from './login/prompt.service.ts';
import { WaitingResolver } from './login/waiting.resolver.ts';
import { OfflineAccessService } from './offline/offline-access.service.ts';
import { OfflineLoginService } from './offline/offline-login.service.ts';
import { OfflineRefreshRepository } from './offline/offline-refresh.repository.ts';
import { OfflineRefreshSweep } from './offline/offline-refresh.sweep.ts';
import { OfflineRepository } from './offline/offline.repository.ts';
import { OfflineResolver } from './offline/offline.resolver.ts';
import { AuditRetentionSweep } from './settings/audit-retention.sweep.ts';
import { LapsSettingsSweep } from './settings/laps-settings.sweep.ts';
import { SettingsRepository } from './settings/settings.repository.ts';
import { SettingsResolver } from './settings/settings.resolver.ts';
import { SettingsService } from './settings/settings.service.ts';
import { MessageExchange, type MessageLine } from './message-exchange.ts';
import { CLOCK, MESSAGE_LINE, NUDGE, NUDGE_TECHNICIAN, PUBLIC_URL, type Nudge, type NudgeTechnician } from './tokens.ts';

const schemaFile = join(import.meta.dirname, '..', 'schema.graphql');

/** What the module gets from outside of Nest. */
export interface Surroundings {
  tenancy: Tenancy;
  clock: Clock;
  nudge: Nudge;
  nudgeTechnician: NudgeTechnician;
  publicUrl: string;
  log: Logger;
  line: MessageLine;
}

@Module({})
export class AppModule {
  static for({ tenancy, clock, nudge, nudgeTechnician, publicUrl, log, line }: Surroundings): DynamicModule {
    return {
      module: AppModule,
      imports: [SubgraphModule.for({ schemaFile, log })],
      providers: [
        { provide: Tenancy, useValue: tenancy },
        { provide: CLOCK, useValue: clock },
        { provide: NUDGE, useValue: nudge },
        { provide: NUDGE_TECHNICIAN, useValue: nudgeTechnician },
        { provide: PUBLIC_URL, useValue: publicUrl.replace(/\/+$/, '') },
        { provide: MESSAGE_LINE, useValue: line },
        MessageExchange,
        DirectoryRepository,
        DirectoryService,
        DirectoryConsumer,
        EntraConnectionRepository,
        EntraGrantRepository,
        EntraWorkService,
        EntraGrantService,
        EntraAccessService,
        EntraAccessResolver,
        EntraConsumer,
        EntraRetentionRepository,
        EntraRetentionSweep,
        SettingsRepository,
        SettingsService,
        SettingsResolver,
        AuditRetentionSweep,
        LapsSettingsSweep,
        LoginRepository,
        LoginService,
        ApprovalService,
        ApprovalOutcomeService,
        ApprovalResolver,
        LoginConsumer,
        LoginSweep,
        LoginRetentionRepository,
        LoginRetentionSweep,
        PromptRepository,
        PromptService,
        WaitingResolver,
        LoginResolver,
        AccessRuleRepository,
        AccessRuleService,
        AccessRuleResolver,
        TenantAccessRulesResolver,
        AccessService,
        ExplanationService,
        ExplanationResolver,
        RecheckRepository,
        RecheckService,
        RecheckSweep,
        OfflineRefreshRepository,
        OfflineRefreshSweep,
        AccessRequestRepository,
        AccessRequestEnding,
        AccessRequestSubjectService,
        AccessRequestService,
        AccessRequestsService,
        AccessRequestSweep,
        AccessRequestResolver,
        TenantAccessRequestsResolver,
        GrantRepository,
        GrantService,
        GrantLifeService,
        GrantEvidenceService,
        GrantSweep,
        GrantResolver,
        TenantGrantsResolver,
        DeviceGrantsResolver,
        TechnicianGrantsResolver,
        AccountRepository,
        AccountService,
        StrayAccountRepository,
        DeviceWorkService,
        DeviceStateService,
        DeviceStateSweep,
        DeviceStateResolver,
        TechnicianResolver,
        OfflineRepository,
        OfflineAccessService,
        OfflineLoginService,
        OfflineResolver,
      ],
    };
  }
}
