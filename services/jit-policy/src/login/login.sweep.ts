import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { decideLogin } from './login.domain.ts';
import { LoginRepository } from './login.repository.ts';
import { LoginService } from './login.service.ts';

/** Ends login requests that nobody approved in time. */
@Injectable()
export class LoginSweep implements Sweep {
  readonly name = 'expire login requests';
  readonly everyMs = 1_000;

  constructor(
    private readonly logins: LoginRepository,
    private readonly service: LoginService,
  ) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    const overdue = await this.logins.overdue(tx, now, 100);
    for (const request of overdue) await this.service.close(tx, decideLogin(request, { do: 'expire' }, now), now);
    return overdue.length;
  }
}
