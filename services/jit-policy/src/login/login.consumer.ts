import { Injectable } from '@nestjs/common';
import type { Handler } from '@stint/messaging';
import { ApprovalService } from './approval.service.ts';
import { PromptService } from './prompt.service.ts';

/** Codes from authenticator apps, checked by services/tenants, and our own messages about what is to reach people. */
@Injectable()
export class LoginConsumer {
  constructor(
    private readonly approvals: ApprovalService,
    private readonly prompts: PromptService,
  ) {}

  readonly totpAccepted: Handler<'totp-accepted'> = (tx, payload) => this.approvals.acceptTotp(tx, payload);
  readonly pushLoginStarted: Handler<'push-login-started'> = (tx, payload) => this.prompts.decideWhomToAsk(tx, payload);
  readonly loginDisowned: Handler<'login-disowned'> = (tx, payload) => this.prompts.endOthers(tx, payload);
  readonly accessRequested: Handler<'access-requested'> = (tx, payload) => this.prompts.nudgeApprovers(tx, payload);
}
