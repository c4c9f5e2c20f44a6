import type { Command } from 'commander';
import { displayName } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, ids, oneOf, text, texts, wholeNumber } from '../arguments.ts';
import { UsageError } from '../failure.ts';
import {
  AccessRuleDocument,
  AccessRulesDocument,
  CreateAccessRuleDocument,
  RemoveAccessRuleDocument,
  UpdateAccessRuleDocument,
  type AccessHoursInput,
  type AccessRuleRowFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import { confirm } from '../prompt.ts';
import type { Field } from '../render/table.ts';
import { duration, words } from '../render/values.ts';
import { found, type Act } from '../session.ts';
import { hours, hoursText } from './rule-options.ts';

const kinds = ['LOCAL_ADMIN', 'DOMAIN_ADMIN', 'ENTRA_ROLE'] as const;
const effects = ['ALLOW', 'DENY'] as const;
const minutes = wholeNumber(1, 480);

interface RuleOptions {
  effect?: (typeof effects)[number];
  kind?: (typeof kinds)[number][];
  group?: Id[];
  everyone?: boolean;
  tag?: string[];
  anyDevice?: boolean;
  entraRole?: string[];
  longest?: number;
  usual?: number | 'setting';
  reason?: boolean;
  ticket?: boolean;
  approvals?: number;
  approverGroup?: Id;
  anyApprover?: boolean;
  hours?: AccessHoursInput[];
  timeZone?: string;
  always?: boolean;
}

/** `rule …`: who may get which access where, and on which demands. */
export function addRuleCommands(program: Command, act: Act): void {
  const group = program.command('rule').description('access rules: who may get which access where, and on which demands');

  withListOptions(
    group.command('list').description('list the rules set on a tenant, oldest first').argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(rowLimit(options), async (at) => {
        const { accessRules } = found((await client.request(AccessRulesDocument, { tenantId, ...at })).tenant, 'tenant');
        return found(accessRules, 'access rules');
      });
      const columns = [
        { title: 'ID', show: (rule: AccessRuleRowFragment) => rule.id },
        { title: 'NAME', show: (rule: AccessRuleRowFragment) => rule.name },
        { title: 'SAYS', show: (rule: AccessRuleRowFragment) => (rule.enabled ? words(rule.effect) : 'nothing (off)') },
        { title: 'WHO', show: who },
        { title: 'WHAT', show: (rule: AccessRuleRowFragment) => rule.kinds.map(words).join(', ') },
        { title: 'WHERE', show: where },
        { title: 'LONGEST', show: (rule: AccessRuleRowFragment) => duration(rule.maxSeconds) },
      ];
      output.list(page, columns, 'No rule is set on this tenant; those of the tenants above it count here too.');
    }),
  );

  group
    .command('show')
    .description('show a rule')
    .argument('<rule>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, ruleId: Id) => {
        const { client } = await signedIn();
        const rule = found((await client.request(AccessRuleDocument, { id: ruleId })).accessRule, 'access rule');
        output.thing(rule, fields(rule));
      }),
    );

  withRuleOptions(
    group
      .command('add')
      .description('set a rule on a tenant; it counts there and in all tenants below')
      .argument('<tenant>', "the tenant's id", id)
      .argument('<name>', 'what a technician is told', text(displayName)),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, name: string, options: RuleOptions) => {
      const { client } = await signedIn();
      const { kinds: chosen = ['LOCAL_ADMIN'], ...rest } = ruleInput(options);
      const input = { id: newId(), tenantId, name, kinds: chosen, ...rest };
      const { createAccessRule } = await client.request(CreateAccessRuleDocument, { input });
      const { __typename, ...rule } = expectType(createAccessRule, 'AccessRule');
      output.thing(rule, fields(rule), 'Rule set.');
    }),
  );

  withRuleOptions(group.command('change').description('change a rule; what is left out stays').argument('<rule>', 'the id', id))
    .option('--name <name>', 'what a technician is told', text(displayName))
    .option('--on', 'it counts')
    .option('--off', 'it does not count')
    .action(
      act(async ({ signedIn, output }, ruleId: Id, options: RuleOptions & { name?: string; on?: boolean; off?: boolean }) => {
        if (options.on === true && options.off === true) throw new UsageError('Give either --on or --off.');
        const { name, on, off } = options;
        const enabled = on === true || off === true ? { enabled: on === true } : {};
        const change = { ...ruleInput(options), ...(name === undefined ? {} : { name }), ...enabled };
        if (Object.keys(change).length === 0) throw new UsageError('Nothing to change: see "stint rule change --help".');
        const { client } = await signedIn();
        const { updateAccessRule } = await client.request(UpdateAccessRuleDocument, { input: { id: ruleId, ...change } });
        const { __typename, ...rule } = expectType(updateAccessRule, 'AccessRule');
        output.thing(rule, fields(rule), 'Rule changed.');
      }),
    );

  group
    .command('remove')
    .description('remove a rule: access that it alone allowed ends at once')
    .argument('<rule>', 'the id', id)
    .option('--yes', 'do not ask')
    .action(
      act(async ({ io, signedIn, output }, ruleId: Id, { yes }: { yes?: boolean }) => {
        const { client } = await signedIn();
        const rule = found((await client.request(AccessRuleDocument, { id: ruleId })).accessRule, 'access rule');
        if (yes !== true) output.beforeQuestion(fields(rule));
        await confirm(io, 'Remove this rule?', yes);
        const { removeAccessRule } = await client.request(RemoveAccessRuleDocument, { input: { id: ruleId } });
        expectType(removeAccessRule, 'AccessRuleRemoved');
        output.thing({ id: ruleId }, [['id', ruleId]], 'Rule removed.');
      }),
    );
}

function withRuleOptions(command: Command): Command {
  return command
    .option('--effect <effect>', 'allow or deny', oneOf(effects))
    .option('--kind <kind...>', 'local-admin, domain-admin, entra-role', (value: string, before: (typeof kinds)[number][] | undefined) => [
      ...(before ?? []),
      oneOf(kinds)(value),
    ])
    .option('--group <group...>', 'for the technicians of these groups', ids)
    .option('--everyone', 'for every technician')
    .option('--tag <tag...>', 'on devices with any of these tags', texts)
    .option('--any-device', 'on every device')
    .option('--entra-role <name...>', 'the Entra roles that it is about', texts)
    .option('--longest <minutes>', 'the longest session', minutes)
    .option('--usual <minutes>', 'the session when nothing is chosen; "setting" for what the tenant\'s setting says', (value: string) =>
      value === 'setting' ? value : minutes(value),
    )
    .option('--reason', 'a reason must be given')
    .option('--no-reason', 'no reason is needed')
    .option('--ticket', 'a ticket must be given')
    .option('--no-ticket', 'no ticket is needed')
    .option('--approvals <people>', 'how many other people must approve', wholeNumber(0, 5))
    .option('--approver-group <group>', 'the group that they must be in', id)
    .option('--any-approver', 'whoever holds the permission may approve')
    .option('--hours <hours...>', 'when, such as "mon-fri 08:00-18:00"', hours)
    .option('--time-zone <zone>', "the hours' time zone, such as Europe/Berlin")
    .option('--always', 'at all hours');
}

/** What was chosen, as the server takes it; what was left out is left out. */
function ruleInput(options: RuleOptions) {
  const { effect, kind, group, everyone, tag, anyDevice, entraRole, longest, usual, reason, ticket, approvals, approverGroup } = options;
  const { anyApprover, hours: chosenHours, timeZone, always } = options;
  if (group !== undefined && everyone === true) throw new UsageError('Give either --group or --everyone.');
  if (tag !== undefined && anyDevice === true) throw new UsageError('Give either --tag or --any-device.');
  if (chosenHours !== undefined && always === true) throw new UsageError('Give either --hours or --always.');
  if (approverGroup !== undefined && anyApprover === true) throw new UsageError('Give either --approver-group or --any-approver.');
  return {
    ...(effect === undefined ? {} : { effect }),
    ...(kind === undefined ? {} : { kinds: [...new Set(kind)] }),
    ...(group === undefined && everyone !== true ? {} : { groups: group ?? [] }),
    ...(tag === undefined && anyDevice !== true ? {} : { deviceTags: tag ?? [] }),
    ...(entraRole === undefined ? {} : { entraRoles: entraRole }),
    ...(longest === undefined ? {} : { maxSeconds: longest * 60 }),
    ...(usual === undefined ? {} : { defaultSeconds: usual === 'setting' ? null : usual * 60 }),
    ...(reason === undefined ? {} : { requireReason: reason }),
    ...(ticket === undefined ? {} : { requireTicket: ticket }),
    ...(approvals === undefined ? {} : { approvals }),
    ...(approverGroup === undefined && anyApprover !== true ? {} : { approverGroup: approverGroup ?? null }),
    ...(chosenHours === undefined && always !== true ? {} : { hours: chosenHours ?? [] }),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}

function who({ groups }: AccessRuleRowFragment): string {
  return groups.length === 0 ? 'everyone' : groups.map((one) => one?.name ?? '(not visible)').join(', ');
}

function where({ deviceTags }: AccessRuleRowFragment): string {
  return deviceTags.length === 0 ? 'everywhere' : `tagged ${deviceTags.join(', ')}`;
}

function fields(rule: AccessRuleRowFragment): Field[] {
  const demands = [
    rule.requireReason ? 'a reason' : '',
    rule.requireTicket ? 'a ticket' : '',
    rule.approvals > 0 ? `${rule.approvals} approval(s) by ${rule.approverGroup?.name ?? 'whoever may approve'}` : '',
  ].filter((demand) => demand !== '');
  return [
    ['id', rule.id],
    ['name', rule.name],
    ['says', words(rule.effect)],
    ['counts', rule.enabled ? `in ${rule.tenant?.name ?? '?'} and below` : 'not: it is off'],
    ['who', who(rule)],
    ['what', rule.kinds.map(words).join(', ')],
    ['Entra roles', rule.entraRoles.join(', ')],
    ['where', where(rule)],
    ['when', rule.hours.length === 0 ? 'always' : `${rule.hours.map(hoursText).join('; ')} ${rule.timeZone ?? ''}`],
    ['longest', duration(rule.maxSeconds)],
    ['usual', rule.defaultSeconds == null ? "the tenant's setting" : duration(rule.defaultSeconds)],
    ['demands', demands.join(', ') || 'nothing more'],
  ];
}
