import { Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { record } from './connection.news.ts';
import { daysUntil, formerSeconds, warningDays } from './credential.domain.ts';
import { CredentialRepository } from './credential.repository.ts';
import { ConsentRepository } from './consent.repository.ts';

const atOnce = 100;
const consentKeptSeconds = 86_400;

/** Warns before credentials end, each time once, and forgets those that another has replaced a day ago. */
@Injectable()
export class ExpirySweep implements Sweep {
  readonly name = 'warn of ending Entra credentials and forget former ones';
  readonly everyMs = 2_000;

  constructor(
    private readonly credentials: CredentialRepository,
    private readonly consents: ConsentRepository,
  ) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    // The nearest first: whoever is warned for 3 days is not warned for 30 any more.
    let warned = 0;
    for (const days of warningDays.toReversed()) {
      for (const credential of await this.credentials.toWarn(tx, addSeconds(now, days * 86_400), days, atOnce)) {
        const { id: subjectId, kind, endsAt } = credential;
        const details = { kind, endsAt: endsAt.toISOString(), daysLeft: daysUntil(endsAt, now) };
        await record(tx, credential, { action: 'entra-connection.credential-expiring', subjectId, occurredAt: now, details });
        await this.credentials.noteWarned(tx, credential, days);
        warned += 1;
      }
    }
    const former = await this.credentials.removeFormer(tx, addSeconds(now, -formerSeconds));
    for (const one of former) {
      const details = { why: 'REPLACED' };
      await record(tx, one, { action: 'entra-connection.credential-removed', subjectId: one.id, occurredAt: now, details });
    }
    await this.consents.removeOld(tx, addSeconds(now, -consentKeptSeconds));
    return warned === atOnce ? warned : 0;
  }
}
