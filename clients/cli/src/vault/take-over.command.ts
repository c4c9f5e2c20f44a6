import { InvalidArgumentError, type Command } from 'commander';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id } from '../arguments.ts';
import { CommandRefusal } from '../failure.ts';
import { OneLapsAccountDocument, TakeOverLapsAccountDocument } from '../generated/operations.ts';
import { ask } from '../prompt.ts';
import { found, type Act } from '../session.ts';
import { accountFields, accountPlace, findingFields } from './laps-account-fields.ts';

/** `laps take-over`: shows what would be taken over, and does it only after a yes to exactly that. */
export function addTakeOverCommand(group: Command, act: Act): void {
  group
    .command('take-over')
    .description('take over the account that the agent found under the name; shows it first, and asks')
    .argument('<account>', 'the id', id)
    .option('--yes <digest>', 'do not ask: the digest of what was shown is the yes', digest)
    .action(
      act(async ({ io, signedIn, output }, accountId: Id, options: { yes?: string }) => {
        const { client } = await signedIn();
        const account = found((await client.request(OneLapsAccountDocument, { id: accountId })).lapsAccount, 'break-glass account');
        const { finding, name } = account;
        if (finding === null) throw new CommandRefusal('NOTHING_FOUND', 'Nothing waits for a yes: "stint laps show" tells how it stands.');
        if (options.yes === undefined) {
          output.beforeQuestion([...accountPlace(account), ...findingFields(account)]);
          const question = `Its password will be changed, and what uses it may stop. Type its name to take it over (${name}):`;
          const instead = `Nothing was done. If this is to be taken over, pass --yes ${finding.digest}`;
          if ((await ask(io, question, instead)) !== name) throw new CommandRefusal('CANCELLED', 'Cancelled. Nothing was done.');
        }
        const input = { accountId, digest: options.yes ?? finding.digest };
        const { takeOverLapsAccount } = await client.request(TakeOverLapsAccountDocument, { input });
        const { __typename, ...taken } = expectType(takeOverLapsAccount, 'LapsAccount');
        const next = 'Yes said. The agent looks once more; if it is still the same account, its password is ours.';
        output.thing(taken, accountFields(taken), next);
      }),
    );
}

function digest(value: string): string {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new InvalidArgumentError('It must be the digest that was shown: 64 hex digits.');
  return value;
}
