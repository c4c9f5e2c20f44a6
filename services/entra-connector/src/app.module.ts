import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import type { KeyProvider } from '@stint/crypto';
import type { Clock } from '@stint/kernel';
import type { Logger } from '@stint/host';
import { SubgraphModule } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { DirectoryConsumer } from './directory/directory.consumer.ts';
import { DirectoryRepository } from './directory/directory.repository.ts';
import { DirectoryService } from './directory/directory.service.ts';
import { GrantConsumer } from './grant/grant.consumer.ts';
import { GrantRepository } from './grant/grant.repository.ts';
import { MessageExchange, type MessageLine } from './message-exchange.ts';
import { CLOCK, KEYS, LOG, MESSAGE_LINE } from './tokens.ts';

const schemaFile = join(import.meta.dirname, '..', 'schema.graphql');

/** What the module gets from outside of Nest. */
export interface Surroundings {
  tenancy: Tenancy;
  clock: Clock;
  keys: KeyProvider;
  log: Logger;
  line: MessageLine;
}

@Module({})
export class AppModule {
  static for({ tenancy, clock, keys, log, line }: Surroundings): DynamicModule {
    return {
      module: AppModule,
      imports: [SubgraphModule.for({ schemaFile, log })],
      providers: [
        { provide: Tenancy, useValue: tenancy },
        { provide: CLOCK, useValue: clock },
        { provide: KEYS, useValue: keys },
        { provide: LOG, useValue: log },
        { provide: MESSAGE_LINE, useValue: line },
        MessageExchange,
        DirectoryRepository,
        DirectoryService,
        DirectoryConsumer,
        GrantRepository,
        GrantConsumer,
      ],
    };
  }
}
