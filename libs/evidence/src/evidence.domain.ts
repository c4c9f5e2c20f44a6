import { isOfEntra } from '@stint/contracts';
import type { EvidenceContent, EvidenceProof, PasskeyEvidence } from './evidence.ts';

/** How much later than its time an end may be seen before it is worth a look: reports travel, and clocks differ. */
const toleratedSeconds = 60;

type SecondApproval = EvidenceContent['secondApprovals'][number];

/** Where the parts of a record contradict each other, in sentences; empty when they fit. */
export function inconsistencies(content: EvidenceContent): string[] {
  return [...ownApproval(content), ...secondApprovals(content), ...durations(content), ...order(content)];
}

/** What is no contradiction, but worth a look. */
export function noticed(content: EvidenceContent): string[] {
  const { session } = content;
  const late = session.endedAt === null || session.expiresAt === null ? 0 : secondsBetween(session.expiresAt, session.endedAt);
  return [
    ...privilegedChangesOf(content).map(({ groupName, added, removed }) =>
      [
        `The group ${groupName} changed while the session lasted`,
        ...(added.length > 0 ? [`added ${added.join(', ')}`] : []),
        ...(removed.length > 0 ? [`removed ${removed.join(', ')}`] : []),
      ].join(': '),
    ),
    ...(late > toleratedSeconds ? [`The end was seen ${late} s after the session's time was over.`] : []),
    ...(['ENDED', 'FAILED'].includes(content.grant.state) ? [] : ['The grant was not over when this record was made: it will change.']),
  ];
}

function privilegedChangesOf(content: EvidenceContent) {
  return 'privilegedChanges' in content ? content.privilegedChanges : [];
}

function ownApproval(content: EvidenceContent): string[] {
  const approval: EvidenceProof = content.approval;
  if (approval.by === 'unsigned') return [];
  const shown = approval.content;
  return [
    ...(['login', 'entra-access'].includes(shown.purpose) ? [] : ["The technician's own approval was signed for another purpose."]),
    ...mismatches(content, shown, "The technician's own approval"),
    ...(shown.durationSeconds < content.grant.approvedSeconds ? ['The session was made longer than its technician signed for.'] : []),
  ];
}

function secondApprovals(content: EvidenceContent): string[] {
  const { rule, technician } = content;
  const given: readonly SecondApproval[] = content.secondApprovals;
  const own: EvidenceProof = content.approval;
  const people = given.map(({ approver }) => approver.id);
  const passkeys = [own, ...given.map(({ proof }) => proof)].flatMap((one) => (one.by === 'passkey' ? [one.passkeyId] : []));
  return [
    ...(given.length < rule.approvals ? [`The rule demanded ${rule.approvals} further approvals, and there are ${given.length}.`] : []),
    ...(people.includes(technician.id) ? ['The technician approved their own request.'] : []),
    ...(new Set(people).size < people.length ? ['Somebody approved twice.'] : []),
    ...(new Set(passkeys).size < passkeys.length ? ['The same passkey signed for two people.'] : []),
    ...given.flatMap(({ approver, sessionSeconds, proof }) => {
      const who = `The approval of ${approver.displayName}`;
      if (proof.by === 'unsigned') return [];
      return [
        ...(['second-approval', 'entra-second-approval'].includes(proof.content.purpose) ? [] : [`${who} was signed for another purpose.`]),
        ...mismatches(content, proof.content, who),
        ...(proof.content.durationSeconds === sessionSeconds ? [] : [`${who} was signed for another duration.`]),
        ...(sessionSeconds < content.grant.approvedSeconds ? [`The session was made longer than ${approver.displayName} approved.`] : []),
      ];
    }),
  ];
}

/** What somebody signed against what the record says. */
function mismatches(content: EvidenceContent, shown: PasskeyEvidence['content'], who: string): string[] {
  const pairs: [string, unknown, unknown][] = [
    ['technician', shown.technicianId, content.technician.id],
    ['customer', shown.tenantId, content.tenant.id],
    ['reason', shown.reason, content.grant.reason],
    ['ticket', shown.ticket, content.grant.ticket],
    ...targetPairs(content, shown),
  ];
  return pairs.filter(([, signed, told]) => signed !== told).map(([name]) => `${who} is over another ${name} than the record tells.`);
}

function targetPairs(content: EvidenceContent, shown: PasskeyEvidence['content']): [string, unknown, unknown][] {
  if (content.format === 'stint-entra-evidence/1') {
    if (!isOfEntra(shown)) return [['kind of access', 'login', 'Entra']];
    return [
      ['grant', shown.grantId, content.grant.id],
      ["customer's name", shown.tenantName, content.asked.tenantName],
      ['role', shown.roleName, content.asked.roleName],
      ['scope', shown.scope, content.asked.scope],
      ['kind of account', shown.accountKind, content.asked.accountKind],
      ['recipient', shown.recipientKey, content.asked.recipientKey],
    ];
  }
  if (isOfEntra(shown)) return [['kind of access', 'Entra', 'login']];
  return [
    ['login', shown.loginRequestId, content.login.id],
    ["customer's name", shown.tenantName, content.login.tenantName],
    ['computer', shown.deviceId, content.device.id],
    ["computer's name", shown.hostName, content.login.hostName],
    ['number', shown.shownNumber, content.login.shownNumber],
  ];
}

function durations({ grant, rule, session, changes }: EvidenceContent): string[] {
  const allowed = grant.approvedSeconds + changes.reduce((sum, change) => sum + change.seconds, 0);
  const lasted = session.activeAt === null || session.expiresAt === null ? 0 : secondsBetween(session.activeAt, session.expiresAt);
  return [
    ...(grant.approvedSeconds > rule.maxSeconds ? ['The session was approved for longer than its rule allows.'] : []),
    ...(allowed > rule.maxSeconds ? ['The session was extended beyond what its rule allows.'] : []),
    // A late report brings the end closer, and the clock cuts milliseconds; nothing moves it away.
    ...(lasted > allowed + 1 ? ['The session may last longer than was approved and extended.'] : []),
  ];
}

function order(content: EvidenceContent): string[] {
  const { grant, session } = content;
  const given: readonly SecondApproval[] = content.secondApprovals;
  const began: [string, string] =
    'login' in content ? ['the login began', content.login.startedAt] : ['it was asked for', content.asked.at];
  const steps: [string, string | null][] = [
    began,
    ...given.map(({ approver, approvedAt }): [string, string] => [`${approver.displayName} approved`, approvedAt]),
    ['it was approved', grant.approvedAt],
    ['the session began', session.activeAt],
    ['it ended', session.endedAt],
  ];
  const known = steps.filter((step): step is [string, string] => step[1] !== null);
  return known.flatMap(([what, when], index) => {
    const before = known[index - 1];
    return before !== undefined && new Date(when) < new Date(before[1]) ? [`The times do not fit: ${what} before ${before[0]}.`] : [];
  });
}

function secondsBetween(from: string, to: string): number {
  return Math.floor((new Date(to).getTime() - new Date(from).getTime()) / 1000);
}
