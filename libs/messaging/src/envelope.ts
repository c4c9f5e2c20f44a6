import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { id, messages, serviceNames, type MessageType, type ServiceName } from '@stint/contracts';
import { signDetached, verifyDetached } from '@stint/crypto';

const envelope = z.object({
  id,
  type: z.string(),
  version: z.number().int(),
  from: z.enum(serviceNames),
  to: z.enum(serviceNames),
  payload: z.unknown(),
  signature: z.string(),
});
/** A message as it stands in the queue, signed by its producer. */
export type Envelope = z.infer<typeof envelope>;

const acknowledgement = z.object({ ids: z.array(id).min(1), from: z.enum(serviceNames), to: z.enum(serviceNames), signature: z.string() });
/** "These messages have had their effect": what a consumer sends back to the producer. */
export type Acknowledgement = z.infer<typeof acknowledgement>;

/** The public keys by which services know each other's messages. */
export type PublicKeys = Readonly<Record<ServiceName, KeyObject>>;

export function signEnvelope(key: KeyObject, message: Omit<Envelope, 'signature'>): Envelope {
  return { ...message, signature: signDetached(key, envelopeBytes(message)) };
}

export function signAcknowledgement(key: KeyObject, message: Omit<Acknowledgement, 'signature'>): Acknowledgement {
  return { ...message, signature: signDetached(key, acknowledgementBytes(message)) };
}

/** A message that its producer may send, signed by it, for this consumer, of a version known here; otherwise the reason against it. */
export function openEnvelope(
  data: unknown,
  consumer: ServiceName,
  keys: PublicKeys,
): { message: Envelope & { type: MessageType } } | { refused: string } {
  const parsed = envelope.safeParse(data);
  if (!parsed.success) return { refused: 'is not an envelope' };
  const message = parsed.data;
  if (!(message.type in messages)) return { refused: 'is of an unknown type' };
  const definition = messages[message.type as MessageType];
  if (message.to !== consumer || !(definition.to as readonly ServiceName[]).includes(consumer))
    return { refused: 'is for another service' };
  if (!(definition.from as readonly ServiceName[]).includes(message.from))
    return { refused: 'is of a type that its producer does not send' };
  if (!verifyDetached(keys[message.from], envelopeBytes(message), message.signature)) return { refused: 'is not signed by its producer' };
  if (message.version !== definition.version) return { refused: 'is of a version that is not known here' };
  return { message: message as Envelope & { type: MessageType } };
}

export function openAcknowledgement(data: unknown, producer: ServiceName, keys: PublicKeys): Acknowledgement | null {
  const parsed = acknowledgement.safeParse(data);
  if (!parsed.success || parsed.data.to !== producer) return null;
  return verifyDetached(keys[parsed.data.from], acknowledgementBytes(parsed.data), parsed.data.signature) ? parsed.data : null;
}

function envelopeBytes(message: Omit<Envelope, 'signature'>): Buffer {
  return Buffer.from(
    JSON.stringify(['stint-message-v1', message.id, message.type, message.version, message.from, message.to, canonical(message.payload)]),
  );
}

function acknowledgementBytes(message: Omit<Acknowledgement, 'signature'>): Buffer {
  return Buffer.from(JSON.stringify(['stint-acknowledgement-v1', message.ids, message.from, message.to]));
}

/** The same value with its objects' keys in order: PostgreSQL's jsonb does not keep the order in which they were written. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, canonical(part)]),
  );
}
