import type { Command } from 'commander';
import type { Act } from '../session.ts';
import { addConnectionCommands } from './connection.command.ts';
import { addConsentCommand } from './consent.command.ts';
import { addCredentialCommands } from './credential.command.ts';
import { addOneTimeCredentialCommand } from './one-time-credential.command.ts';
import { addEntraRequestCommand } from './request.command.ts';

/** `entra …`: the connection to a customer's Entra tenant, and access there. */
export function addEntraCommands(program: Command, act: Act): void {
  const group = program.command('entra').description("a customer's Microsoft Entra tenant: its connection, and access there");
  addConnectionCommands(group, act);
  addCredentialCommands(group, act);
  addConsentCommand(group, act);
  addEntraRequestCommand(group, act);
  addOneTimeCredentialCommand(group, act);
}
