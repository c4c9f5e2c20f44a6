import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { ApprovalProof, AuditEvent } from '@stint/contracts';
import type { DecidingRule } from '../access/access.service.ts';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import { approvedGrant, type EntraGrant } from '../grant/grant.domain.ts';
import type { EntraAccess } from '../grant/grant-target.domain.ts';
import { aboutEntra, EntraWorkService } from './entra-work.service.ts';

/** What the approvals of access in Entra have settled. */
export interface EntraApproval {
  mspId: Id;
  tenantId: Id;
  id: Id;
  technicianId: Id;
  access: EntraAccess;
  sessionSeconds: number;
  reason: string | null;
  ticket: string | null;
  proof: ApprovalProof;
  rule: DecidingRule;
  /** Other people approved this duration: more of it is theirs to decide too. */
  approvedByOthers: boolean;
}

/** Making grants of access in Entra. */
@Injectable()
export class EntraGrantService {
  constructor(private readonly work: EntraWorkService) {}

  /** Makes the grant of an approval, in its transaction; null when its id is taken. */
  async open(tx: WriteTx, approval: EntraApproval, now: Date, details: AuditEvent['details'] = {}): Promise<EntraGrant | null> {
    const { mspId, tenantId, id, technicianId, access, sessionSeconds, reason, ticket, proof, rule } = approval;
    const { roleName, scope, accountKind, recipientKey } = access;
    const grant = approvedGrant<EntraGrant['target']>(
      {
        ...{ mspId, tenantId, id, technicianId, sessionSeconds, reason, ticket, approval: proof },
        target: { kind: 'ENTRA', roleName, scope, accountKind, recipientKey, accountName: null, version: 1 },
        ...{ ruleId: rule.id, ruleName: rule.name, ruleMaxSeconds: rule.maxSeconds },
        maxSeconds: approval.approvedByOthers ? sessionSeconds : rule.maxSeconds,
      },
      now,
    );
    if (!(await this.work.add(tx, grant))) return null;
    await auditOf(tx, grant, {
      action: 'grant.approved',
      subjectId: grant.id,
      occurredAt: now,
      actor: { kind: 'technician', id: technicianId },
      details: { ...aboutEntra(grant), sessionSeconds, reason, ticket, rule: rule.name, ...details },
    });
    return grant;
  }
}
