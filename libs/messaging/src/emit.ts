import { EventEmitter } from 'node:events';
import { messages, type MessageType, type Payload } from '@stint/contracts';
import { newId } from '@stint/kernel';
import type { SystemTx, TenantTx } from '@stint/tenancy';

const maxPayloadBytes = 4096;

/** Wakes the relays of this process after a commit. A hint: the relay also looks by itself. */
export const outboxHint = new EventEmitter().setMaxListeners(0);

/** Sends a message with this transaction: it leaves if and only if the transaction commits. */
export async function emit<Type extends MessageType>(tx: TenantTx | SystemTx, type: Type, payload: Payload<Type>): Promise<void> {
  const definition = messages[type];
  const body = JSON.stringify(definition.schema.parse(payload));
  if (Buffer.byteLength(body) > maxPayloadBytes) throw new RangeError(`A ${type} message is larger than ${maxPayloadBytes} bytes.`);
  const id = newId();
  await tx.query(
    `insert into outbox (id, target, type, version, payload) select $1, target, $3, $4, $5 from unnest($2::text[]) as target`,
    [id, definition.to, type, definition.version, body],
  );
  tx.afterCommit(() => outboxHint.emit('written'));
}
