import { Command, type OutputConfiguration } from 'commander';
import { addExplainCommand } from './access/explain.command.ts';
import { addRequestCommands } from './access/request.command.ts';
import { addRuleCommands } from './access/rule.command.ts';
import { addApiClientCommands } from './api-client/api-client.command.ts';
import { addAuditCommands } from './audit/audit.command.ts';
import { addDeviceCommands } from './device/device.command.ts';
import { addEnrollmentTokenCommands } from './enrollment-token/enrollment-token.command.ts';
import { addEntraCommands } from './entra/entra.command.ts';
import { addGrantCommands } from './grant/grant.command.ts';
import { addGroupCommands } from './group/group.command.ts';
import { addIdentityProviderCommands } from './identity-provider/identity-provider.command.ts';
import { addLoginCommands } from './login/login.command.ts';
import { addRecoveryCommands } from './recovery/recovery.command.ts';
import type { Act } from './session.ts';
import { addSettingsCommands } from './settings/settings.command.ts';
import { addSessionCommands } from './sign-in-session/session.command.ts';
import { addSignInCommand } from './sign-in/sign-in.command.ts';
import { addTechnicianCommands } from './technician/technician.command.ts';
import { addTenantCommands } from './tenant/tenant.command.ts';
import { addTotpCommands } from './totp/totp.command.ts';
import { addLapsCommands } from './vault/laps.command.ts';
import { addVaultCommands } from './vault/vault.command.ts';
import { addWhoAmICommand } from './who-am-i/who-am-i.command.ts';

/** All commands of `stint`. Wrong usage throws a CommanderError instead of ending the process. */
export function buildProgram(act: Act, output: OutputConfiguration): Command {
  const program = new Command('stint')
    .description('Just-in-time admin access: the command line for administrators and technicians.')
    .option('--profile <name>', 'who to be: the profile\'s name ($STINT_PROFILE, or "default")')
    .option('--config-dir <folder>', 'where the profiles are ($XDG_CONFIG_HOME/stint, or ~/.config/stint)')
    .option('--json', 'print JSON for machines')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput(output)
    .addHelpText('after', '\nExit codes: 0 done, 1 problem or refusal, 2 wrong usage, 3 gateway not reachable.');
  const groups = [
    addSignInCommand,
    addWhoAmICommand,
    addSessionCommands,
    addTenantCommands,
    addSettingsCommands,
    addTechnicianCommands,
    addRecoveryCommands,
    addIdentityProviderCommands,
    addGroupCommands,
    addRuleCommands,
    addExplainCommand,
    addTotpCommands,
    addDeviceCommands,
    addEnrollmentTokenCommands,
    addLoginCommands,
    addRequestCommands,
    addGrantCommands,
    addEntraCommands,
    addLapsCommands,
    addVaultCommands,
    addAuditCommands,
    addApiClientCommands,
  ];
  for (const add of groups) add(program, act);
  return program;
}
