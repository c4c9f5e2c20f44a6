import { useState } from 'preact/hooks';
import { asKept } from '../approval/as-kept.ts';
import { DurationChoice } from '../approval/duration-choice.tsx';
import type { EntraAccountKind, EntraDemandsFragment } from '../generated/operations.ts';
import { Button, Field } from '../ui/action.tsx';

/** What a technician chose about a role in Entra: exactly what their passkey signs. */
export interface Asked {
  accountKind: EntraAccountKind;
  seconds: number;
  reason: string | null;
  ticket: string | null;
}

const kindText: Record<EntraAccountKind, string> = {
  JIT: 'a new account that Stint makes, and takes away again',
  OWN: 'the account that you have there already',
};
const kinds: readonly EntraAccountKind[] = ['JIT', 'OWN'];

/** The rest of what the access rule demands. */
export function EntraAccessForm({ demands, busy, ask }: { demands: EntraDemandsFragment; busy: boolean; ask: (asked: Asked) => void }) {
  const preset = Math.min(demands.defaultSeconds, demands.maxSeconds);
  const [accountKind, setAccountKind] = useState<EntraAccountKind>('JIT');
  const [seconds, setSeconds] = useState(preset);
  const [reason, setReason] = useState('');
  const [ticket, setTicket] = useState('');
  const missing = (demands.requireReason && reason.trim() === '') || (demands.requireTicket && ticket.trim() === '');
  return (
    <>
      <p class="quiet">Rule: {demands.ruleName}</p>
      <label>
        <span>With</span>
        <select value={accountKind} onChange={({ currentTarget: { value } }) => setAccountKind(value === 'OWN' ? 'OWN' : 'JIT')}>
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {kindText[kind]}
            </option>
          ))}
        </select>
      </label>
      <DurationChoice longest={demands.maxSeconds} preset={preset} value={seconds} onChange={setSeconds} />
      <Field label={demands.requireReason ? 'Why (needed)' : 'Why'} value={reason} onInput={setReason} />
      <Field label={demands.requireTicket ? 'Ticket (needed)' : 'Ticket'} value={ticket} onInput={setTicket} />
      {demands.approvals > 0 && <p class="quiet">{demands.approvals} approval(s) by others are needed after yours.</p>}
      <Button busy={busy || missing} onClick={() => ask({ accountKind, seconds, reason: asKept(reason), ticket: asKept(ticket) })}>
        Ask with your passkey
      </Button>
    </>
  );
}
