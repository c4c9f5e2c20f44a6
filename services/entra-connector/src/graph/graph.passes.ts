import type {
  TemporaryAccessPassAuthenticationMethod,
  TemporaryAccessPassAuthenticationMethodConfiguration,
} from '@microsoft/microsoft-graph-types';
import type { GraphCaller, GraphTransport } from './graph.transport.ts';
import { nullWhereNotFound } from './graph.users.ts';
import { dateOf, required } from './graph.values.ts';
import type { IssuedPass, NewPass, Pass, PassDirectory, PassPolicy } from './passes.port.ts';
import type { UserRef } from './users.port.ts';

const policyPath = '/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass';
/** The target that stands for everybody. */
const everybody = 'all_users';
const writing = ['UserAuthenticationMethod.ReadWrite.All'];

/** Temporary Access Passes, by Graph. */
export class GraphPasses implements PassDirectory {
  readonly #graph: GraphTransport;
  readonly #caller: GraphCaller;

  constructor(graph: GraphTransport, caller: GraphCaller) {
    this.#graph = graph;
    this.#caller = caller;
  }

  async policy(): Promise<PassPolicy> {
    const policy = await this.#graph.call<TemporaryAccessPassAuthenticationMethodConfiguration>(this.#caller, {
      ...{ method: 'GET', path: policyPath, purpose: 'read the policy for Temporary Access Passes' },
      permissions: ['Policy.Read.AuthenticationMethod', 'Policy.Read.All'],
    });
    const included = (policy.includeTargets ?? []).map(({ id }) => required(id, 'id of a target'));
    return {
      enabled: policy.state === 'enabled',
      minimumMinutes: required(policy.minimumLifetimeInMinutes, 'minimumLifetimeInMinutes'),
      maximumMinutes: required(policy.maximumLifetimeInMinutes, 'maximumLifetimeInMinutes'),
      defaultMinutes: required(policy.defaultLifetimeInMinutes, 'defaultLifetimeInMinutes'),
      onceOnly: policy.isUsableOnce ?? false,
      groupIds: included.includes(everybody) ? null : included,
      excludedGroupIds: (policy.excludeTargets ?? []).map(({ id }) => required(id, 'id of a target')),
    };
  }

  async issue({ user, lifetimeMinutes, usableOnce, startsAt }: NewPass): Promise<IssuedPass> {
    const body: TemporaryAccessPassAuthenticationMethod = {
      ...{ lifetimeInMinutes: lifetimeMinutes, isUsableOnce: usableOnce },
      ...(startsAt === null ? {} : { startDateTime: startsAt.toISOString() }),
    };
    const made = await this.#graph.call<TemporaryAccessPassAuthenticationMethod>(this.#caller, {
      ...{ method: 'POST', path: pathOf(user), body, user, purpose: 'issue a Temporary Access Pass', permissions: writing },
    });
    return { ...asPass(made), value: required(made.temporaryAccessPass, 'temporaryAccessPass') };
  }

  async of(user: UserRef): Promise<Pass[]> {
    const found = await this.#graph.all<TemporaryAccessPassAuthenticationMethod>(this.#caller, {
      ...{ method: 'GET', path: pathOf(user), user, purpose: 'read Temporary Access Passes', permissions: writing },
    });
    return found.map(asPass);
  }

  async delete(user: UserRef, passId: string): Promise<void> {
    await this.#graph
      .call(this.#caller, {
        ...{ method: 'DELETE', path: `${pathOf(user)}/${encodeURIComponent(passId)}`, user },
        ...{ purpose: 'delete the Temporary Access Pass', permissions: writing },
      })
      .catch(nullWhereNotFound);
  }
}

function pathOf({ id }: UserRef): string {
  return `/users/${encodeURIComponent(id)}/authentication/temporaryAccessPassMethods`;
}

function asPass(pass: TemporaryAccessPassAuthenticationMethod): Pass {
  return {
    ...{ id: required(pass.id, 'id'), createdAt: dateOf(pass.createdDateTime), startsAt: dateOf(pass.startDateTime) },
    ...{ lifetimeMinutes: required(pass.lifetimeInMinutes, 'lifetimeInMinutes'), usableOnce: pass.isUsableOnce ?? false },
    ...{ usable: pass.isUsable ?? false, usability: pass.methodUsabilityReason ?? '' },
  };
}
