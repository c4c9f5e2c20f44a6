import type { AuditAction, AuditEvent } from '@stint/contracts';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import type { Grant } from './grant.domain.ts';

type Details = AuditEvent['details'];

/** Audits that a grant went from one state to another; `about` says on what. */
export async function auditMoved(tx: WriteTx, before: Grant, grant: Grant, now: Date, about: Details): Promise<void> {
  // One who ends it by itself takes it from live to ENDED at once; the log then has the request and the end in one.
  for (const { action, details } of happened(before, grant)) {
    const { technicianId, target } = grant;
    await auditOf(tx, grant, {
      action,
      subjectId: grant.id,
      occurredAt: now,
      details: { ...about, technicianId, accountName: target.accountName, ...details },
    });
  }
}

function happened(before: Grant, grant: Grant): { action: AuditAction; details: Details }[] {
  switch (grant.state) {
    case 'ACTIVE':
      return [{ action: 'grant.activated', details: { activeAt: instant(grant.activeAt), expiresAt: instant(grant.expiresAt) } }];
    case 'ENDING':
      return [{ action: 'grant.end-requested', details: { endReason: grant.endReason, endedBy: grant.endedBy?.id ?? null } }];
    case 'END_STUCK':
      return [{ action: 'grant.end-stuck', details: { endReason: grant.endReason, endingAt: instant(grant.endingAt) } }];
    case 'ENDED':
      return [
        { action: 'grant.ended', details: { endReason: grant.endReason, endedAt: instant(grant.endedAt), from: before.state } },
        // New administrators that came while somebody had rights: an alarm of its own for each group.
        ...grant.privilegedChanges.map(({ groupName, added, removed }) => ({
          action: 'grant.privileged-changed' as const,
          details: { group: short(groupName), added: shortList(added), removed: shortList(removed) },
        })),
      ];
    case 'FAILED':
      return [{ action: 'grant.failed', details: { failure: grant.failure } }];
    case 'APPROVED':
      return [];
  }
}

function instant(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}

/** Names are whatever somebody with rights wrote there: a log event holds so much, and the whole is in the grant's record. */
function short(name: string): string {
  const points = [...name];
  return points.length > 32 ? `${points.slice(0, 31).join('')}…` : name;
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(short).join(' ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
