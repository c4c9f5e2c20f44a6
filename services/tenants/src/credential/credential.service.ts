import { Injectable } from '@nestjs/common';
import { isId } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import type { Credential } from './credential.domain.ts';
import { CredentialRepository } from './credential.repository.ts';

@Injectable()
export class CredentialService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly credentials: CredentialRepository,
  ) {}

  /** A credential whose subject is active; null otherwise. Across MSPs, hence as the system: the gateway knows nothing but its id. */
  async find(id: string): Promise<Credential | null> {
    return isId(id) ? this.tenancy.asSystem((tx) => this.credentials.findActive(tx, id)) : null;
  }
}
