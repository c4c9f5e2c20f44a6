import { Injectable } from '@nestjs/common';
import type { Handler } from '@stint/messaging';
import { ApprovalService } from './approval.service.ts';

/** Codes from authenticator apps, checked by services/tenants. */
@Injectable()
export class LoginConsumer {
  constructor(private readonly approvals: ApprovalService) {}

  readonly totpAccepted: Handler<'totp-accepted'> = (tx, payload) => this.approvals.acceptTotp(tx, payload);
}
