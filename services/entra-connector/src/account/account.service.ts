import { Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import { connection, notFound, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { DirectoryService } from '../directory/directory.service.ts';
import type { EntraAccount } from './account.domain.ts';
import { AccountRepository } from './account.repository.ts';

/** Accounts in Entra, for people. */
@Injectable()
export class AccountService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly accounts: AccountRepository,
  ) {}

  async page(actor: Actor, tenantId: Id, page: PageRequest): Promise<Connection<EntraAccount>> {
    if ((await this.directory.visibleTenants(actor, [tenantId])).size === 0) throw notFound('tenant');
    const rows = await this.tenancy.readTenants(actor, (tx) => this.accounts.page(tx, actor.mspId, tenantId, page.after, page.first + 1));
    return connection(rows, page);
  }
}
