import { Injectable } from '@nestjs/common';
import type { Handler } from '@stint/messaging';
import { EntraConnectionRepository } from './entra-connection.repository.ts';

/** What services/entra-connector tells. */
@Injectable()
export class EntraConsumer {
  constructor(private readonly connections: EntraConnectionRepository) {}

  readonly connectionChanged: Handler<'entra-connection-changed'> = async (tx, connection) => this.connections.save(tx, connection);

  readonly grantReported: Handler<'entra-grant-reported'> = async (_tx, { grantId }) => {
    throw new Error(`The grant ${grantId} is not known here.`);
  };
}
