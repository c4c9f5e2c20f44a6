export {
  principal,
  principalToken,
  serviceNames,
  id,
  reachOf,
  narrowed,
  asSelf,
  type Principal,
  type Actor,
  type ServiceName,
} from './principal.ts';
export {
  permissions,
  roles,
  rolePermissions,
  accessOf,
  type Permission,
  type Role,
  type RoleAssignment,
  type Access,
} from './permissions.ts';
export {
  messages,
  messagesTo,
  maxAssignments,
  maxGroupsOfTechnician,
  maxDeviceTags,
  maxPasskeys,
  type MessageType,
  type Payload,
} from './messages.ts';
export { lapsSettings, lapsPasswordStyles, lapsPolicy, lapsPolicyOf, maxReaderGroups, type LapsPolicy, type LapsSettings } from './laps.ts';
export { entraAccountKinds, entraScope, entraGrant, entraGrantReport, entraGrantStates } from './entra.ts';
export { entraObjectId, maxSourceGroups, sourceRoles, sourceTechnician, type SourceRole, type SourceTechnician } from './user-source.ts';
export { auditActions, auditEvent, type AuditAction, type AuditEvent } from './audit.ts';
export { displayName, email, hostName, line, reason, ticket, ed25519PublicKey, hpkePublicKey, domainName, deviceTag } from './fields.ts';
export {
  isOfEntra,
  type AccountKind,
  type ApprovalContent,
  type EntraAccountKind,
  type EntraApprovalContent,
  type LoginApprovalContent,
} from './approval-content.ts';
export { approvalChallenge, type ApprovalProof } from './approval.ts';
