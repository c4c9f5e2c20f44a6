import type { Command } from 'commander';
import { reason } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, text } from '../arguments.ts';
import {
  ApproveRecoveryDocument,
  CancelRecoveryDocument,
  RecoveryOfDocument,
  StartRecoveryDocument,
  type RecoveryRowFragment,
} from '../generated/operations.ts';
import type { Field } from '../render/table.ts';
import { instant, words } from '../render/values.ts';
import { found, type Act } from '../session.ts';

/** `recovery …`: the way back in for a technician who has lost their passkeys. */
export function addRecoveryCommands(program: Command, act: Act): void {
  const group = program
    .command('recovery')
    .description('the way back in for a technician who has lost their passkeys: two administrators, neither of them the technician');

  group
    .command('start')
    .description("start a technician's recovery; another administrator approves it within 24 hours")
    .argument('<technician>', 'the id', id)
    .requiredOption('--reason <text>', 'why, and how you made sure that it is them', text(reason))
    .action(
      act(async ({ signedIn, output }, technicianId: Id, options: { reason: string }) => {
        const { client } = await signedIn();
        const input = { id: newId(), technicianId, reason: options.reason };
        const { startRecovery } = await client.request(StartRecoveryDocument, { input });
        const { __typename, ...recovery } = expectType(startRecovery, 'Recovery');
        output.thing(recovery, fields(recovery), 'Started. Another administrator approves it now.');
      }),
    );

  group
    .command('show')
    .description("show a technician's recovery that is under way")
    .argument('<technician>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, technicianId: Id) => {
        const { client } = await signedIn();
        const technician = found((await client.request(RecoveryOfDocument, { id: technicianId })).technician, 'technician');
        const recovery = found(technician.recovery, 'recovery');
        output.thing(recovery, fields(recovery));
      }),
    );

  group
    .command('approve')
    .description('approve the recovery that another administrator started, and get the link to hand over')
    .argument('<recovery>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, recoveryId: Id) => {
        const { client } = await signedIn();
        const { approveRecovery } = await client.request(ApproveRecoveryDocument, { input: { id: recoveryId } });
        const { __typename, ...approved } = expectType(approveRecovery, 'ApprovedRecovery');
        const { recovery, link } = approved;
        output.thing(
          approved,
          [...fields(recovery), ['link', link]],
          'Approved. Hand the link over yourself: it works once, and it is shown only now.',
        );
      }),
    );

  group
    .command('cancel')
    .description('cancel a recovery; its link ends')
    .argument('<recovery>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, recoveryId: Id) => {
        const { client } = await signedIn();
        const { cancelRecovery } = await client.request(CancelRecoveryDocument, { input: { id: recoveryId } });
        const { __typename, ...recovery } = expectType(cancelRecovery, 'Recovery');
        output.thing(recovery, fields(recovery), 'Cancelled.');
      }),
    );
}

function fields(recovery: RecoveryRowFragment): Field[] {
  return [
    ['id', recovery.id],
    ['technician', recovery.technician == null ? '' : `${recovery.technician.displayName} <${recovery.technician.email}>`],
    ['state', words(recovery.state)],
    ['reason', recovery.reason],
    ['started by', recovery.startedBy?.displayName ?? ''],
    ['started', instant(recovery.startedAt)],
    ['ends', instant(recovery.expiresAt)],
  ];
}
