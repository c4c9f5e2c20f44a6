import type { KeyProvider } from '@stint/crypto';
import type { EntraTenant, EntraUser } from '@stint/graph-emulator';
import { addSeconds, newId, type Id } from '@stint/kernel';
import type { MessageType } from '@stint/contracts';
import { BreakGlassConsumer } from '../break-glass/break-glass.consumer.ts';
import type { BreakGlassAccount } from '../break-glass/break-glass.domain.ts';
import { BreakGlassRepository } from '../break-glass/break-glass.repository.ts';
import { RotationService } from '../break-glass/rotation.service.ts';
import { leaseSeconds } from '../break-glass/rotation.sweep.ts';
import { VaultNews } from '../break-glass/vault-news.service.ts';
import { BreakGlassVault } from './break-glass-vault.ts';
import type { EntraWorld } from './entra-world.ts';
import { Mortal, ProcessDied } from './mortal.ts';

/** One break-glass account between a vault, this service and Entra, whose messages and moments the test deals out. */
export class BreakGlassRun {
  readonly #accounts = new BreakGlassRepository();
  readonly #news = new VaultNews(this.#accounts);
  readonly #consumer: BreakGlassConsumer;
  /** What is on its way here. */
  readonly #answers: { type: 'due' | 'answered'; payload: never }[] = [];

  private constructor(
    readonly world: EntraWorld,
    readonly entra: EntraTenant,
    readonly user: EntraUser,
    readonly vault: BreakGlassVault,
    /** What the next process of this service wraps with. */
    public keys: KeyProvider,
  ) {
    this.#consumer = new BreakGlassConsumer(this.#accounts, world.clock);
  }

  static async start(world: EntraWorld, keys: KeyProvider): Promise<BreakGlassRun> {
    const { tenantId, entra } = await world.customer();
    const user = entra.addUser({ displayName: 'Break glass', mfaRegistered: true });
    const { mspId, clock } = world;
    const run = new BreakGlassRun(world, entra, user, new BreakGlassVault(mspId, tenantId, newId()), keys);
    // Long before anything of ours.
    clock.advance(60);
    const account: BreakGlassAccount = {
      ...{
        mspId,
        tenantId,
        id: run.vault.accountId,
        objectId: user.id,
        entraTenantId: null,
        userPrincipalName: user.userPrincipalName,
        displayName: '',
      },
      ...{ registered: true, registeredAt: clock.now(), version: 1, toldAt: clock.now(), dueFence: null, vaultKey: null, policy: null },
      ...{ versionId: null, passwordChangedAt: null, tampered: false, problem: null, dueAt: clock.now() },
      ...{ failures: 0, changes: 0, fence: 0, leaseUntil: null },
    };
    await world.tenancy.asSystem(async (tx) => {
      await run.#accounts.add(tx, account);
      await run.#news.tell(tx, account);
    });
    return run;
  }

  /** Does what is due now as one process that dies at its n-th moment; true: it lived. */
  async work(diesAt = Infinity): Promise<boolean> {
    const { world } = this;
    const mortal = new Mortal(diesAt);
    const tenancy = mortal.tenancy(world.tenancy);
    const rotations = new RotationService(mortal.access(world.access), this.#accounts, this.#news, world.clock, mortal.keys(this.keys));
    try {
      for (;;) {
        const now = world.clock.now();
        const claims = await tenancy.asSystem((tx) => this.#accounts.claim(tx, now, addSeconds(now, leaseSeconds), 16));
        if (claims.length === 0) return true;
        for (const claim of claims) await rotations.step(tenancy, claim);
      }
    } catch (error) {
      if (error instanceof ProcessDied) return false;
      throw error;
    }
  }

  /** Takes what is on its way, in an order of one's choice, some of it twice. `pick` answers numbers below its argument. */
  async deliver(pick: (below: number) => number): Promise<void> {
    const { world, vault } = this;
    const due = await vault.due(pick(8) === 0);
    if (due !== null) this.#answers.push({ type: 'due', payload: due as never });
    const mine = "payload ->> 'accountId' = $1";
    const rows = await world.rows<{ id: Id; type: MessageType; payload: unknown }>(
      `select id, type, payload from outbox where ${mine} order by id`,
      [vault.accountId],
    );
    while (rows.length > 0) {
      const [row] = rows.splice(pick(rows.length), 1);
      if (row === undefined) break;
      const answer = await vault.take(row.type, row.payload);
      if (answer !== null) this.#answers.push({ type: 'answered', payload: answer as never });
      // One that is not acknowledged comes again.
      if (pick(4) !== 0) await world.rows('delete from outbox where id = $1', [row.id]);
    }
    for (let left = 2 * this.#answers.length; left > 0 && this.#answers.length > 0; left -= 1) {
      const at = pick(this.#answers.length);
      const answer = this.#answers[at];
      if (answer === undefined) break;
      const { type, payload } = answer;
      const handler = this.#consumer[type];
      await world.tenancy.asSystem((tx) => handler(tx, payload, { id: newId(), from: 'laps-vault' }));
      if (pick(4) !== 0) this.#answers.splice(at, 1);
      if (pick(6) === 0) break;
    }
  }

  /** Entra has said yes to a new password, and nobody has looked since. */
  async isBeforeLook(): Promise<boolean> {
    const sql = `select 1 from break_glass_candidate where account_id = $1 and state = 'SET'`;
    return (await this.world.rows(sql, [this.vault.accountId])).length > 0;
  }

  /** Nothing is done about it any more: those that follow do not pay for it. */
  async end(): Promise<void> {
    await this.world.rows('update break_glass_account set due_at = null, lease_until = null where id = $1', [this.vault.accountId]);
    await this.world.rows(`delete from outbox where payload ->> 'accountId' = $1`, [this.vault.accountId]);
  }

  /** Whether this password opens the account. */
  opens(password: string): boolean {
    return this.entra.signIn({ upn: this.user.userPrincipalName, password }).signedIn;
  }

  async account(): Promise<BreakGlassAccount> {
    const account = await this.world.tenancy.asSystem((tx) => this.#accounts.find(tx, this.vault.mspId, this.vault.accountId));
    if (account === null) throw new Error('No account.');
    return account;
  }
}
