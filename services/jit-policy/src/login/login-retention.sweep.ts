import { Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { LoginRetentionRepository } from './login-retention.repository.ts';

const batch = 200;
const rememberLocksSeconds = 30 * 86_400;

/**
 * Removes logins that are over for longer than their tenant keeps audit events (setting `auditRetentionDays`), whole: with
 * requests, approvals, grants and the proofs in them. Until then the record of every grant can be exported.
 */
@Injectable()
export class LoginRetentionSweep implements Sweep {
  readonly name = 'remove old logins';
  readonly everyMs = 600_000;

  constructor(private readonly logins: LoginRetentionRepository) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    if (!(await this.logins.begin(tx))) return 0;
    const old = await this.logins.old(tx, now, batch);
    if (old.length > 0) await this.logins.remove(tx, old);
    return old.length + (await this.logins.forgetLocks(tx, addSeconds(now, -rememberLocksSeconds), batch));
  }
}
