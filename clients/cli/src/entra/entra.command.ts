import type { Command } from 'commander';
import type { Act } from '../session.ts';
import { addAccountsCommand } from './accounts.command.ts';
import { addBreakGlassCommands } from './break-glass.command.ts';
import { addConnectionCommands } from './connection.command.ts';
import { addConsentCommand } from './consent.command.ts';
import { addCredentialCommands } from './credential.command.ts';
import { addOneTimeCredentialCommand } from './one-time-credential.command.ts';
import { addEntraRequestCommand } from './request.command.ts';
import { addSourceCommands } from './source.command.ts';

/** `entra …`: the connection to an Entra tenant, access there, its break-glass accounts, and technicians that come from it. */
export function addEntraCommands(program: Command, act: Act): void {
  const group = program
    .command('entra')
    .description("a tenant's Microsoft Entra tenant: its connection, access there, and technicians from it");
  addConnectionCommands(group, act);
  addCredentialCommands(group, act);
  addConsentCommand(group, act);
  addEntraRequestCommand(group, act);
  addOneTimeCredentialCommand(group, act);
  addAccountsCommand(group, act);
  addBreakGlassCommands(group, act);
  addSourceCommands(group, act);
}
