import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import type { KeyProvider } from '@stint/crypto';
import type { Logger } from '@stint/host';
import type { Clock } from '@stint/kernel';
import { SubgraphModule } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { ApiClientRepository } from './api-client/api-client.repository.ts';
import { ApiClientResolver } from './api-client/api-client.resolver.ts';
import { ApiClientService } from './api-client/api-client.service.ts';
import { AuditRepository } from './audit/audit.repository.ts';
import { AuditResolver } from './audit/audit.resolver.ts';
import { AuditService } from './audit/audit.service.ts';
import { CredentialRepository } from './credential/credential.repository.ts';
import { CredentialResolver } from './credential/credential.resolver.ts';
import { CredentialService } from './credential/credential.service.ts';
import { DeviceRepository } from './device/device.repository.ts';
import { DeviceResolver, TenantDevicesResolver } from './device/device.resolver.ts';
import { DeviceService } from './device/device.service.ts';
import { Presence } from './device/presence.ts';
import { EnrollmentResolver } from './enrollment/enrollment.resolver.ts';
import { EnrollmentService } from './enrollment/enrollment.service.ts';
import { EnrollmentTokenRepository } from './enrollment/enrollment-token.repository.ts';
import { GroupRepository } from './group/group.repository.ts';
import { GroupResolver, TenantGroupsResolver } from './group/group.resolver.ts';
import { GroupService } from './group/group.service.ts';
import { IdentityProviderClient } from './identity-provider/identity-provider.client.ts';
import { IdentityProviderRepository } from './identity-provider/identity-provider.repository.ts';
import { IdentityProviderResolver } from './identity-provider/identity-provider.resolver.ts';
import { IdentityProviderService } from './identity-provider/identity-provider.service.ts';
import { IdentityProviderSignInService } from './identity-provider/identity-provider-sign-in.service.ts';
import { Loaders } from './loaders.ts';
import { PasskeyRegistrar } from './passkey/passkey-registrar.ts';
import { PasskeyRepository } from './passkey/passkey.repository.ts';
import { PasskeyResolver } from './passkey/passkey.resolver.ts';
import { PasskeyService } from './passkey/passkey.service.ts';
import { PushRepository } from './push/push.repository.ts';
import { PushResolver } from './push/push.resolver.ts';
import { PushService } from './push/push.service.ts';
import { RecoveryRedemptionService } from './recovery/recovery-redemption.service.ts';
import { RecoveryRepository } from './recovery/recovery.repository.ts';
import { RecoveryResolver, TechnicianRecoveryResolver } from './recovery/recovery.resolver.ts';
import { RecoveryService } from './recovery/recovery.service.ts';
import { RoleRepository } from './role/role.repository.ts';
import { RoleResolver, TechnicianRolesResolver } from './role/role.resolver.ts';
import { RoleService } from './role/role.service.ts';
import { ArtefactRepository } from './session/artefact.repository.ts';
import { ArtefactResolver } from './session/artefact.resolver.ts';
import { ArtefactService } from './session/artefact.service.ts';
import { SessionRepository } from './session/session.repository.ts';
import { SessionResolver, TechnicianSessionsResolver, ViewerSessionsResolver } from './session/session.resolver.ts';
import { SessionService } from './session/session.service.ts';
import { SignInResolver } from './sign-in/sign-in.resolver.ts';
import { SignInService } from './sign-in/sign-in.service.ts';
import { InvitationRepository } from './technician/invitation.repository.ts';
import { JoiningService } from './technician/joining.service.ts';
import { TechnicianCopies } from './technician/technician-copies.ts';
import { TechnicianRepository } from './technician/technician.repository.ts';
import { TechnicianResolver, TenantTechniciansResolver } from './technician/technician.resolver.ts';
import { TechnicianService } from './technician/technician.service.ts';
import { TenantRepository } from './tenant/tenant.repository.ts';
import { TenantResolver } from './tenant/tenant.resolver.ts';
import { TenantService } from './tenant/tenant.service.ts';
import { ALLOW_INSECURE_IDENTITY_PROVIDER, CLOCK, KEYS, PUBLIC_URL, PUSH_SETUP, REVOKE, type PushSetup, type Revoke } from './tokens.ts';
import { OfflineAccessResolver } from './totp/offline-access.resolver.ts';
import { OfflineSecretService } from './totp/offline-secret.service.ts';
import { TotpRepository } from './totp/totp.repository.ts';
import { TotpResolver } from './totp/totp.resolver.ts';
import { TotpService } from './totp/totp.service.ts';
import { SourceConflictService } from './user-source/source-conflict.service.ts';
import { SourceGivenRepository } from './user-source/source-given.repository.ts';
import { SourcePersonRepository } from './user-source/source-person.repository.ts';
import { SourceTechnicianService } from './user-source/source-technician.service.ts';
import { SourceConflictResolver, TenantSourceConflictsResolver } from './user-source/user-source.resolver.ts';
import { ViewerResolver } from './viewer.resolver.ts';

export interface AppParts {
  tenancy: Tenancy;
  clock: Clock;
  keys: KeyProvider;
  presence: Presence;
  sourceTechnicians: SourceTechnicianService;
  publicUrl: string;
  revoke: Revoke;
  push: PushSetup;
  allowInsecureIdentityProvider: boolean;
  log: Logger;
}

/** The service's parts, wired. */
@Module({})
export class AppModule {
  static with(parts: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [SubgraphModule.for({ schemaFile: join(import.meta.dirname, '..', 'schema.graphql'), log: parts.log })],
      providers: [
        { provide: Tenancy, useValue: parts.tenancy },
        { provide: CLOCK, useValue: parts.clock },
        { provide: KEYS, useValue: parts.keys },
        { provide: REVOKE, useValue: parts.revoke },
        { provide: PUBLIC_URL, useValue: parts.publicUrl },
        { provide: PUSH_SETUP, useValue: parts.push },
        { provide: ALLOW_INSECURE_IDENTITY_PROVIDER, useValue: parts.allowInsecureIdentityProvider },
        { provide: Presence, useValue: parts.presence },
        { provide: SourceTechnicianService, useValue: parts.sourceTechnicians },
        ...[TenantRepository, TechnicianRepository, InvitationRepository, CredentialRepository, GroupRepository],
        ...[DeviceRepository, EnrollmentTokenRepository, ApiClientRepository, AuditRepository, TotpRepository],
        ...[TenantService, TechnicianService, JoiningService, GroupService, DeviceService, EnrollmentService],
        ...[CredentialService, ApiClientService, AuditService, TotpService, RoleRepository, TechnicianCopies, RoleService, Loaders],
        ...[IdentityProviderRepository, IdentityProviderClient, IdentityProviderService, IdentityProviderSignInService],
        ...[IdentityProviderResolver, SignInService, SignInResolver],
        ...[RecoveryRepository, RecoveryService, RecoveryRedemptionService, RecoveryResolver, TechnicianRecoveryResolver],
        ...[PushRepository, PushService, PushResolver],
        ...[PasskeyRepository, PasskeyRegistrar, PasskeyService, PasskeyResolver],
        ...[ViewerResolver, TenantResolver, TechnicianResolver, TenantTechniciansResolver, CredentialResolver, GroupResolver],
        ...[
          TenantGroupsResolver,
          DeviceResolver,
          TenantDevicesResolver,
          EnrollmentResolver,
          ApiClientResolver,
          AuditResolver,
          TotpResolver,
          OfflineSecretService,
          OfflineAccessResolver,
          RoleResolver,
          TechnicianRolesResolver,
        ],
        ...[ArtefactRepository, ArtefactService, ArtefactResolver, SessionRepository, SessionService],
        ...[SourcePersonRepository, SourceGivenRepository, SourceConflictService],
        ...[SourceConflictResolver, TenantSourceConflictsResolver],
        ...[SessionResolver, ViewerSessionsResolver, TechnicianSessionsResolver],
      ],
    };
  }
}
