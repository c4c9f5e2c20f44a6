import { grantView } from '../grant/grant.view.ts';
import { shownLogin } from './login.domain.ts';
import type { LoginWithGrant } from './login.service.ts';

/** A login request as GraphQL has it. */
export function loginView({ request, grant, at }: LoginWithGrant) {
  const { id, method, shownNumber, hostName, tenantName, sessionSeconds, expiresAt, accountKind, domainObstacle } = request;
  return {
    __typename: 'LoginRequest' as const,
    id,
    method,
    ...shownLogin(request, grant, at),
    shownNumber,
    hostName,
    tenantName,
    sessionSeconds,
    expiresAt,
    accountKinds: [...request.accountKinds],
    accountKind,
    domainObstacle,
    device: { __typename: 'Device' as const, id: request.deviceId },
    tenant: { __typename: 'Tenant' as const, id: request.tenantId },
    grant: grant === null ? null : grantView(grant),
  };
}
