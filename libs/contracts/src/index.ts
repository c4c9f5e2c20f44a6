export { principal, principalToken, serviceNames, id, type Principal, type Actor, type ServiceName } from './principal.ts';
export { permissions, roles, rolePermissions, type Permission, type Role } from './permissions.ts';
export { messages, messagesTo, type MessageType, type Payload } from './messages.ts';
export { auditActions, auditEvent, type AuditAction, type AuditEvent } from './audit.ts';
export { displayName, email, hostName, line, reason, ticket, ed25519PublicKey, hpkePublicKey } from './fields.ts';
export { approvalChallenge, type ApprovalContent } from './approval.ts';
