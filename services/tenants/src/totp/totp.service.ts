import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { asSelf, email, hpkePublicKey, id, rolePermissions, type Actor } from '@stint/contracts';
import {
  hashToken,
  matchTotp,
  newTotpSeed,
  sealTo,
  totpClockHint,
  totpPeriodSeconds,
  totpStep,
  totpUri,
  type KeyProvider,
  type Sealed,
} from '@stint/crypto';
import { conflict, notFound, Problem, type Clock, type Id } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx, type Tx } from '@stint/tenancy';
import { requireFreshSignIn } from '../passkey/passkey.service.ts';
import { TechnicianCopies } from '../technician/technician-copies.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import type { Technician } from '../technician/technician.domain.ts';
import { CLOCK, KEYS } from '../tokens.ts';
import { fail, limits, lockedUntilAny, noFailures, seedPlace, type Failures, type Limit } from './totp.domain.ts';
import { TotpRepository, type Candidate } from './totp.repository.ts';

const enrollInput = z.object({ recipientKey: hpkePublicKey });
const submitInput = z.object({ loginRequestId: id, email, code: z.string() });
/** The purpose to which an enrolment is sealed. */
const sealInfo = 'stint-totp-enrollment-v1';

/** What came of a try. It is committed with its counters before it becomes an answer. */
type Outcome = { kind: 'accepted' } | { kind: 'refused'; clockOff?: number | null } | { kind: 'locked'; retryAt: Date };
/** A subject that a try counts for. After a right code a narrow one is forgotten, a wide one is as before the try. */
interface Counted {
  subject: string;
  limit: Limit;
  wide: boolean;
}
/** A try that is allowed: how each subject stood before it, and whether a wrong code locks. */
interface Try {
  kind: 'try';
  before: readonly Failures[];
  locks: boolean;
}
/** What a code is worth against one seed: the step that it belongs to, or else by how many steps a clock would be off in which it is right. */
interface Match {
  technicianId: Id | null;
  /** The wrapped seed that was compared with. */
  seed: Buffer | null;
  step: number | null;
  off: number | null;
}
const noMatch: Match = { technicianId: null, seed: null, step: null, off: null };

@Injectable()
export class TotpService {
  // Opened and compared against where there is nobody to compare with, so that an unknown address costs the same work.
  #nobody: Buffer | undefined;

  constructor(
    private readonly tenancy: Tenancy,
    private readonly totps: TotpRepository,
    private readonly technicians: TechnicianRepository,
    private readonly copies: TechnicianCopies,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) private readonly keys: KeyProvider,
  ) {}

  /** Makes a new seed for the calling technician and answers it sealed; an enrolment that counts stays until the new one is confirmed. */
  async enroll(caller: Actor, raw: unknown): Promise<Sealed> {
    const actor = asSelf(caller);
    requireFreshSignIn(actor, this.clock.now());
    const { recipientKey } = checkInput(enrollInput, raw);
    const seed = newTotpSeed();
    const wrapped = await this.keys.wrap(seed, seedPlace(actor.mspId, actor.id));
    const technician = await this.tenancy.inTenant(actor, actor.tenantId, async (tx) => {
      const [found] = await this.technicians.findMany(tx, actor.mspId, [actor.id]);
      if (found === undefined) throw notFound('technician');
      await this.totps.putPending(tx, { mspId: actor.mspId, tenantId: actor.tenantId, technicianId: actor.id }, wrapped);
      return found;
    });
    const uri = totpUri(seed, { issuer: 'Stint', account: technician.email });
    return sealTo({ publicKey: recipientKey, info: sealInfo, aad: actor.id }, Buffer.from(uri));
  }

  /** Ends an enrolment with its first code. */
  async confirm(caller: Actor, code: string): Promise<Technician> {
    const actor = asSelf(caller);
    const now = this.clock.now();
    const counted = [{ subject: `enrolment:${actor.id}`, limit: limits.technicianAtDevice, wide: false }];
    // As the system: what services/jit-policy is told of the technician stands in other tenants, too. Only the caller's own rows are touched.
    const seen = await this.tenancy.asSystem(async (tx) => ({
      pending: await this.totps.pendingSeed(tx, actor.mspId, actor.id),
      retryAt: await this.#lockedUntil(tx, actor.mspId, counted, now),
    }));
    if (seen.pending === null) throw conflict('No enrolment is waiting for a code. Start one with enrollTotp.');
    if (seen.retryAt !== null) answer({ kind: 'locked', retryAt: seen.retryAt });
    const seed = await this.keys.unwrap(seen.pending, seedPlace(actor.mspId, actor.id));
    const step = matchTotp({ seed, code, now, lastStep: null });
    seed.fill(0);
    const outcome = await this.tenancy.asSystem(async (tx): Promise<Outcome> => {
      const totp = await this.totps.lock(tx, actor.mspId, actor.id);
      if (totp?.pendingSeed == null || !seen.pending?.equals(totp.pendingSeed))
        throw conflict('The enrolment was confirmed or started anew meanwhile. Type the code of the newest one.');
      const taken = await this.#takeTry(tx, actor, counted, now);
      if (taken.kind === 'locked') return taken;
      const about = { subjectId: actor.id, occurredAt: now, mspId: actor.mspId, tenantId: actor.tenantId, actor };
      if (step === null) {
        await audit(tx, { ...about, action: taken.locks ? 'totp.locked' : 'totp.refused', details: { enrolment: true } });
        return { kind: 'refused' };
      }
      await this.totps.confirm(tx, actor.mspId, actor.id, step, now);
      await this.#forgive(tx, actor.mspId, counted, taken, now);
      await this.copies.changed(tx, actor.mspId, actor.id);
      await audit(tx, { ...about, action: 'totp.enrolled' });
      return { kind: 'accepted' };
    });
    answer(outcome);
    const [technician] = await this.tenancy.readTenants(actor, (tx) => this.technicians.findMany(tx, actor.mspId, [actor.id]));
    if (technician === undefined) throw notFound('technician');
    return technician;
  }

  /**
   * Checks a code that somebody typed at the calling device. The counters, the used step, the message that approves the
   * login and the audit event are one transaction; a failed try is committed too.
   */
  async submit(device: Actor, raw: unknown): Promise<Id> {
    const input = checkInput(submitInput, raw);
    const now = this.clock.now();
    // Across tenants, hence as the system: the technician lives above the device's tenant, where the device cannot look.
    const seen = await this.tenancy.asSystem(async (tx) => {
      const who = await this.#who(tx, device, input.email);
      return who === null ? null : { ...who, retryAt: await this.#lockedUntil(tx, device.mspId, who.counted, now) };
    });
    if (seen?.retryAt != null) answer({ kind: 'locked', retryAt: seen.retryAt });
    // The seed is opened while no connection is held: a key service may be slow. All else is looked at again afterwards.
    const match = seen === null ? noMatch : await this.#match(device.mspId, seen.candidate, input.code, now);
    const outcome = await this.tenancy.asSystem((tx) => this.#try(tx, device, input, match, now));
    answer(outcome);
    return input.loginRequestId;
  }

  /** Whom the address means at the device, and what a try counts for; null for a device that is not active. */
  async #who(tx: SystemTx, device: Actor, address: string): Promise<{ candidate: Candidate | null; counted: Counted[] } | null> {
    if (!(await this.totps.isActiveDevice(tx, device.mspId, device.id))) return null;
    const found = await this.totps.candidate(tx, device, address);
    const candidate = found !== null && found.roles.some(({ role }) => rolePermissions[role].includes('login.approve')) ? found : null;
    const who = candidate?.technicianId ?? `unknown-${hashToken(address).toString('hex')}`;
    const counted: Counted[] = [
      { subject: `at:${device.id}:${who}`, limit: limits.technicianAtDevice, wide: false },
      { subject: `device:${device.id}`, limit: limits.device, wide: false },
      { subject: `technician:${who}`, limit: limits.technician, wide: true },
      { subject: `tenant:${device.tenantId}`, limit: limits.tenant, wide: true },
    ];
    return { candidate, counted };
  }

  async #try(tx: SystemTx, device: Actor, input: z.infer<typeof submitInput>, match: Match, now: Date): Promise<Outcome> {
    const who = await this.#who(tx, device, input.email);
    if (who === null) return { kind: 'refused' };
    const { candidate, counted } = who;
    const taken = await this.#takeTry(tx, device, counted, now);
    if (taken.kind === 'locked') return taken;
    const record = (action: 'totp.accepted' | 'totp.refused' | 'totp.locked') =>
      audit(tx, {
        ...{ action, subjectId: input.loginRequestId, occurredAt: now, mspId: device.mspId, tenantId: device.tenantId },
        actor: action === 'totp.accepted' && candidate !== null ? { kind: 'technician', id: candidate.technicianId } : device,
        details: { deviceId: device.id, technicianId: candidate?.technicianId ?? null },
      });
    const { step, clockOff } = stillRight(match, candidate, now);
    if (candidate === null || step === null || !(await this.totps.useStep(tx, device.mspId, candidate.technicianId, step))) {
      await record(taken.locks ? 'totp.locked' : 'totp.refused');
      return { kind: 'refused', clockOff };
    }
    await this.#forgive(tx, device.mspId, counted, taken, now);
    const { mspId, tenantId, id: deviceId } = device;
    await emit(tx, 'totp-accepted', {
      mspId,
      tenantId,
      deviceId,
      loginRequestId: input.loginRequestId,
      technicianId: candidate.technicianId,
    });
    await record('totp.accepted');
    return { kind: 'accepted' };
  }

  /** Compares the code with the candidate's seed; the same work where nobody is known. */
  async #match(mspId: Id, candidate: Candidate | null, code: string, now: Date): Promise<Match> {
    const known = candidate?.seed == null ? null : { ...candidate, seed: candidate.seed };
    const wrapped = known?.seed ?? (this.#nobody ??= await this.keys.wrap(newTotpSeed(), seedPlace('nobody', 'nobody')));
    const seed = await this.keys.unwrap(wrapped, known === null ? seedPlace('nobody', 'nobody') : seedPlace(mspId, known.technicianId));
    const match = { step: matchTotp({ seed, code, now, lastStep: known?.lastStep ?? null }), off: totpClockHint(seed, code, now) };
    seed.fill(0);
    return known === null ? noMatch : { ...match, technicianId: known.technicianId, seed: known.seed };
  }

  /** The end of the longest lock that a try would meet, or null; without a trace. */
  async #lockedUntil(tx: Tx, mspId: Id, counted: readonly Counted[], now: Date): Promise<Date | null> {
    const subjects = counted.map(({ subject }) => subject);
    return lockedUntilAny(await this.totps.failures(tx, mspId, subjects, now), now);
  }

  /**
   * Counts the try as wrong before it is looked at; a right code is forgiven afterwards. With the rows locked, tries
   * that come at once are counted one after the other, so that none slips past the limit. A locked try counts nothing.
   */
  async #takeTry(
    tx: Tx,
    owner: { mspId: Id; tenantId: Id },
    counted: readonly Counted[],
    now: Date,
  ): Promise<Try | { kind: 'locked'; retryAt: Date }> {
    const subjects = counted.map(({ subject }) => subject);
    // First without a trace: a locked computer that goes on trying addresses neither fills the table nor holds up its tenant.
    const seen = await this.#lockedUntil(tx, owner.mspId, counted, now);
    if (seen !== null) return { kind: 'locked', retryAt: seen };
    const before = await this.totps.lockFailures(tx, owner, subjects, now);
    const locked = lockedUntilAny(before, now);
    if (locked !== null) return { kind: 'locked', retryAt: locked };
    const after = counted.map(({ limit }, index) => fail(before[index] ?? noFailures(now), limit, now));
    for (const [index, { subject }] of counted.entries())
      await this.totps.saveFailures(tx, owner.mspId, subject, after[index] ?? noFailures(now));
    return { kind: 'try', before, locks: after.some((failures) => failures.lockedUntil !== null) };
  }

  async #forgive(tx: Tx, mspId: Id, counted: readonly Counted[], taken: Try, now: Date): Promise<void> {
    for (const [index, { subject, wide }] of counted.entries()) {
      const before = wide ? taken.before[index] : undefined;
      await this.totps.saveFailures(tx, mspId, subject, before ?? noFailures(now));
    }
  }
}

/** What the comparison says of the candidate as the rows are now: nothing when it was with another seed; `clockOff` is in seconds. */
function stillRight(
  { technicianId, seed, step, off }: Match,
  candidate: Candidate | null,
  now: Date,
): { step: number | null; clockOff: number | null } {
  const same = candidate?.seed != null && seed !== null && candidate.technicianId === technicianId && candidate.seed.equals(seed);
  if (!same) return { step: null, clockOff: null };
  // A code that was used already is no sign of a clock.
  const used = off !== null && totpStep(now) + off <= (candidate.lastStep ?? 0);
  return { step, clockOff: step !== null || off === null || used ? null : off * totpPeriodSeconds };
}

function answer(outcome: Outcome): void {
  if (outcome.kind === 'refused' && outcome.clockOff != null) {
    const where = outcome.clockOff < 0 ? 'behind' : 'ahead';
    throw new Problem(
      'TotpRefused',
      `The code fits a clock that is about ${Math.abs(outcome.clockOff)} seconds ${where}. Set the clock of the phone right (or have it set by the network) and type the next code.`,
    );
  }
  if (outcome.kind === 'refused') {
    throw new Problem(
      'TotpRefused',
      'The code was not accepted. Wait for the next one; each works once. If it fails again, check the clocks of the computer and the phone.',
    );
  }
  if (outcome.kind === 'locked') {
    throw new Problem('TotpLocked', `Too many wrong codes. Try again after ${outcome.retryAt.toISOString()}.`, {
      retryAt: outcome.retryAt,
    });
  }
}
