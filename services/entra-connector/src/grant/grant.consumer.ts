import { Injectable } from '@nestjs/common';
import type { Handler } from '@stint/messaging';
import { GrantRepository } from './grant.repository.ts';

/** What services/jit-policy wants. */
@Injectable()
export class GrantConsumer {
  constructor(private readonly grants: GrantRepository) {}

  readonly entraGrantChanged: Handler<'entra-grant-changed'> = async (tx, grant) => {
    await this.grants.saveWanted(tx, grant);
  };
}
