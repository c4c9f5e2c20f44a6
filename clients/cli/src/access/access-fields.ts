import type { ExplainEntraAccessQuery } from '../generated/operations.ts';
import type { Field } from '../render/table.ts';
import { duration } from '../render/values.ts';

type Explained = NonNullable<ExplainEntraAccessQuery['explainAccess']>;

/** Whether access is allowed, by which rule and on which demands. */
export function accessFields(explained: Explained): Field[] {
  const demands = [
    explained.requireReason ? 'a reason' : '',
    explained.requireTicket ? 'a ticket' : '',
    explained.approvals > 0 ? `${explained.approvals} approval(s) by ${explained.approverGroup?.name ?? 'whoever may approve'}` : '',
  ].filter((demand) => demand !== '');
  return [
    ['access', explained.allowed ? { text: 'allowed', tone: 'good' } : { text: 'denied', tone: 'bad' }],
    ['why', explained.why],
    ['rule', explained.ruleName ?? 'none'],
    ...(explained.allowed
      ? ([
          ['longest', duration(explained.maxSeconds)],
          ['usual', duration(explained.defaultSeconds)],
          ['demands', demands.join(', ') || 'nothing more'],
        ] as const)
      : []),
  ];
}
