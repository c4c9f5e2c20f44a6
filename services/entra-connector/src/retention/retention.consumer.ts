import { Injectable } from '@nestjs/common';
import type { Handler } from '@stint/messaging';
import { RetentionRepository } from './retention.repository.ts';

/** Takes in how long traces of access are kept. */
@Injectable()
export class RetentionConsumer {
  constructor(private readonly retention: RetentionRepository) {}

  readonly auditRetentionChanged: Handler<'audit-retention-changed'> = (tx, retention) => this.retention.save(tx, retention);
}
