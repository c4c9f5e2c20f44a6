import type { KeyProvider } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tenancy } from '@stint/tenancy';
import type { SystemTenancy } from '../account/convergence.service.ts';
import { EntraAccess, type EntraDirectory, type Urgency } from '../graph/directory.port.ts';

/** The process was killed: nothing that came after it happened. */
export class ProcessDied extends Error {}

/**
 * A process that dies at the n-th of its moments: before or after a call of Entra, before or after a commit. What was done by then
 * stays; all it would do later fails.
 */
export class Mortal {
  #moments = 0;
  readonly #diesAt: number;

  constructor(diesAt: number) {
    this.#diesAt = diesAt;
  }

  moment(): void {
    this.#moments += 1;
    if (this.#moments >= this.#diesAt) throw new ProcessDied();
  }

  tenancy(tenancy: Tenancy): SystemTenancy {
    return {
      asSystem: async <T>(work: (tx: SystemTx) => Promise<T>): Promise<T> => {
        this.moment();
        const result = await tenancy.asSystem(async (tx) => {
          const done = await work(tx);
          this.moment();
          return done;
        });
        this.moment();
        return result;
      },
    };
  }

  keys(keys: KeyProvider): KeyProvider {
    const mortal =
      <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
      async (...args: Args) => {
        this.moment();
        const result = await call(...args);
        this.moment();
        return result;
      };
    return { ...keys, wrap: mortal(keys.wrap.bind(keys)), unwrap: mortal(keys.unwrap.bind(keys)) };
  }

  access(access: EntraAccess): EntraAccess {
    return new MortalAccess(access, this);
  }
}

class MortalAccess extends EntraAccess {
  readonly #access: EntraAccess;
  readonly #mortal: Mortal;

  constructor(access: EntraAccess, mortal: Mortal) {
    super();
    this.#access = access;
    this.#mortal = mortal;
  }

  async of(mspId: Id, tenantId: Id, urgency: Urgency): Promise<EntraDirectory> {
    const directory = await this.#access.of(mspId, tenantId, urgency);
    const [users, roles, passes] = [
      this.#mortalised(directory.users),
      this.#mortalised(directory.roles),
      this.#mortalised(directory.passes),
    ];
    return { ...directory, users, roles, passes };
  }

  #mortalised<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]): Promise<unknown> => {
          this.#mortal.moment();
          const result: unknown = await Reflect.apply(method, target, args);
          this.#mortal.moment();
          return result;
        };
      },
    });
  }
}
