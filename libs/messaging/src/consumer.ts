import type { KeyObject } from 'node:crypto';
import { UnrecoverableError, type Job, type Queue } from 'bullmq';
import { messages, type MessageType, type Payload, type ServiceName } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tenancy } from '@stint/tenancy';
import { openAcknowledgement, openEnvelope, signAcknowledgement, type PublicKeys } from './envelope.ts';
import type { MessagingLog } from './messaging.ts';

/** What a service does with a message, in one transaction with the note that it was received. */
export type Handler<Type extends MessageType> = (
  tx: SystemTx,
  payload: Payload<Type>,
  message: { id: Id; from: ServiceName },
) => Promise<void>;
export type Handlers = { readonly [Type in MessageType]?: Handler<Type> };

const acknowledgeAfterMs = 10;

/** Gives messages their effect once, however often they arrive, and tells their producers. */
export class Consumer {
  readonly #service: ServiceName;
  readonly #tenancy: Tenancy;
  readonly #handlers: Handlers;
  readonly #queues: ReadonlyMap<ServiceName, Queue>;
  readonly #key: KeyObject;
  readonly #publicKeys: PublicKeys;
  readonly #log: MessagingLog;
  readonly #done = new Map<ServiceName, Id[]>();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(options: {
    service: ServiceName;
    tenancy: Tenancy;
    handlers: Handlers;
    queues: ReadonlyMap<ServiceName, Queue>;
    key: KeyObject;
    publicKeys: PublicKeys;
    log: MessagingLog;
  }) {
    this.#service = options.service;
    this.#tenancy = options.tenancy;
    this.#handlers = options.handlers;
    this.#queues = options.queues;
    this.#key = options.key;
    this.#publicKeys = options.publicKeys;
    this.#log = options.log;
  }

  /** BullMQ's processor. */
  readonly process = async (job: Job): Promise<void> => {
    if (job.name === 'acknowledgement') return this.#acknowledged(job.data);
    const opened = openEnvelope(job.data, this.#service, this.#publicKeys);
    if ('refused' in opened) {
      // Whoever wrote this is not our producer, or is newer than we are: the genuine message is still in its outbox.
      this.#log.error({ jobId: job.id }, `a message was refused: it ${opened.refused}`);
      throw new UnrecoverableError('refused');
    }
    const { message } = opened;
    await this.#apply(message.type, message.payload, message).catch((error: unknown) => {
      this.#log.error(
        { err: error, messageId: message.id, type: message.type, attempt: job.attemptsMade + 1 },
        'a message could not be applied; it will be tried again',
      );
      throw error;
    });
    this.#acknowledge(message.from, message.id);
  };

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flush();
    await this.#sending;
  }

  async #apply<Type extends MessageType>(type: Type, payload: unknown, message: { id: Id; from: ServiceName }): Promise<void> {
    const parsed = messages[type].schema.parse(payload) as Payload<Type>;
    const handler = this.#handlers[type] as Handler<Type>;
    await this.#tenancy.asSystem(async (tx) => {
      const fresh = await tx.query('insert into inbox (message_id) values ($1) on conflict do nothing returning message_id', [message.id]);
      if (fresh.length > 0) await handler(tx, parsed, message);
    });
  }

  /** Acknowledgements travel in small batches; one that is lost only means that the message comes once more. */
  #acknowledge(producer: ServiceName, id: Id): void {
    const ids = this.#done.get(producer);
    if (ids === undefined) this.#done.set(producer, [id]);
    else ids.push(id);
    this.#timer ??= setTimeout(() => this.#flush(), acknowledgeAfterMs);
  }

  #flush(): void {
    this.#timer = undefined;
    const batches = [...this.#done];
    this.#done.clear();
    this.#sending = this.#sending.then(async () => {
      for (const [producer, ids] of batches) {
        const data = signAcknowledgement(this.#key, { ids, from: this.#service, to: producer });
        await this.#queues
          .get(producer)
          ?.add('acknowledgement', data, { attempts: 3, removeOnComplete: true, removeOnFail: true })
          .catch((error: unknown) => this.#log.warn({ err: error }, 'an acknowledgement was lost; its messages will come again'));
      }
    });
  }

  async #acknowledged(data: unknown): Promise<void> {
    const acknowledgement = openAcknowledgement(data, this.#service, this.#publicKeys);
    if (acknowledgement === null) {
      this.#log.error({}, 'an acknowledgement was refused: it is not signed by its consumer');
      throw new UnrecoverableError('refused');
    }
    await this.#tenancy.asSystem((tx) =>
      tx.query('delete from outbox where target = $1 and id = any($2)', [acknowledgement.from, acknowledgement.ids]),
    );
  }
}
