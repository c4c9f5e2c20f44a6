import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { lapsPolicyOf, type Principal } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { callerActor, Caller, Can, type RequestContext } from '@stint/subgraph';
import type {
  ConfirmLapsPasswordInput,
  DeviceLapsStateArgs,
  EscrowLapsPasswordInput,
  ReportLapsAccountInput,
} from '../generated/graphql.ts';
import { AccountDeviceService } from './account-device.service.ts';
import { AccountReportService } from './account-report.service.ts';

/** Break-glass accounts in GraphQL, for the devices that they are on. */
@Resolver('Device')
export class AccountDeviceResolver {
  constructor(
    private readonly devices: AccountDeviceService,
    private readonly reports: AccountReportService,
  ) {}

  @ResolveField()
  async lapsState(@Parent() device: { id: Id }, @Args() args: DeviceLapsStateArgs, @Context() { principal }: RequestContext) {
    const { revision, accounts, settings, vaultKey } = await this.devices.state(
      callerActor(principal),
      device.id,
      args.knownRevision ?? null,
    );
    if (accounts === null || settings === null) return { revision, accounts: null, vaultKey: null };
    return {
      revision,
      vaultKey,
      accounts: accounts.map(({ account: { id, kind, name, fence, takeOver }, enabled, rotate, currentVersionId }) => ({
        ...{ id, kind, name, enabled, rotate, fence, currentVersionId, takeOver },
        policy: lapsPolicyOf(settings),
      })),
    };
  }

  @Mutation()
  @Can('device')
  async escrowLapsPassword(@Caller() caller: Principal, @Args('input') input: EscrowLapsPasswordInput) {
    return { __typename: 'LapsEscrowed', fence: await this.devices.escrow(callerActor(caller), input) };
  }

  @Mutation()
  @Can('device')
  async confirmLapsPassword(@Caller() caller: Principal, @Args('input') { accountId, versionId }: ConfirmLapsPasswordInput) {
    return { __typename: 'LapsConfirmed', dueAt: await this.devices.confirm(callerActor(caller), accountId, versionId) };
  }

  @Mutation()
  @Can('device')
  async reportLapsAccount(@Caller() caller: Principal, @Args('input') input: ReportLapsAccountInput) {
    const { accountId, versionId, problem, finding, incident } = input;
    const found =
      finding == null
        ? null
        : {
            ...{ digest: finding.digest, groups: finding.groups, uses: finding.uses, uid: finding.uid ?? null },
            lastLogOnAt: finding.lastLogOnAt == null ? null : new Date(finding.lastLogOnAt).toISOString(),
          };
    const revision = await this.reports.report(callerActor(caller), accountId, {
      ...{ problem: problem ?? null, finding: found, incident: incident ?? null, versionId: versionId ?? null },
    });
    return { __typename: 'LapsReportTaken', revision };
  }
}
