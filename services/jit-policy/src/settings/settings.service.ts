import { Inject, Injectable } from '@nestjs/common';
import { invalidInput, isId, notFound, type Clock, type Id, type PageRequest } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { audit } from '@stint/messaging';
import { CopyMissing, Tenancy, type TenantTx, type Tx } from '@stint/tenancy';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import { domainLoginFacts, type AccountKinds } from './domain-login.domain.ts';
import { auditedChanges } from './setting-audit.domain.ts';
import { passwordEntropyBits } from './password-entropy.ts';
import { refuseConflicts, settingProblems, type SettingProblems } from './setting-conflicts.domain.ts';
import { changeSettings, type EffectiveSettings, type SettingsPatch } from './settings.domain.ts';
import { SettingsRepository, type KeptChange } from './settings.repository.ts';

/** A tenant's settings as people see them. */
export interface ShownSettings {
  effective: EffectiveSettings;
  problems: SettingProblems;
  /** How hard LAPS passwords are to guess. */
  passwordBits: number;
  /** Tenants above and technician groups that the reader reaches; of others nothing but a group's id is shown. */
  reached: ReadonlySet<Id>;
}

/** Reading and changing the settings of tenants. */
@Injectable()
export class SettingsService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly settings: SettingsRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The effective settings of those of `tenantIds` that the actor reaches. */
  async shown(actor: Actor, tenantIds: readonly Id[]): Promise<Map<Id, ShownSettings>> {
    const visible = await this.directory.visible(actor, 'tenant', tenantIds);
    if (visible.size === 0) return new Map();
    return this.tenancy.readTenants(actor, async (tx) => {
      const effective = await this.settings.effective(tx, actor.mspId, [...visible]);
      const surroundings = await this.settings.surroundings(tx, actor.mspId, [...visible]);
      const all = [...effective.values()];
      const setOn = all.flatMap((values) => Object.values(values).flatMap((setting) => setting.setOn ?? []));
      const groups = all.flatMap((values) => values.lapsReaderGroups.value);
      const reached = await this.settings.reached(tx, actor.mspId, [...new Set(setOn)], [...new Set(groups)]);
      const shown = new Map<Id, ShownSettings>();
      for (const [id, values] of effective) {
        const around = surroundings.get(id);
        const passwordBits = passwordEntropyBits(values);
        shown.set(id, {
          effective: values,
          problems: around === undefined ? {} : settingProblems(values, around, passwordBits),
          passwordBits,
          reached,
        });
      }
      return shown;
    });
  }

  /** A page of a tenant's changes, newest first. */
  async history(actor: Actor, tenantId: Id, page: PageRequest): Promise<KeptChange[]> {
    if (!(await this.directory.visible(actor, 'tenant', [tenantId])).has(tenantId)) throw notFound('tenant');
    return this.tenancy.readTenants(actor, (tx) => this.settings.history(tx, actor.mspId, tenantId, page));
  }

  /** Changes a tenant's own values, all or none. */
  async change(actor: Actor, tenantId: Id, patch: SettingsPatch): Promise<void> {
    await this.directory.inTenant(actor, tenantId, async (tx) => {
      const { own, changes } = changeSettings(await this.settings.ownLocked(tx, actor.mspId, tenantId), patch);
      if (changes.length === 0) return;
      await this.#requireGroups(tx, patch.lapsReaderGroups ?? []);
      await this.settings.save(tx, actor.mspId, tenantId, own);
      const surroundings = (await this.settings.surroundings(tx, actor.mspId, [tenantId])).get(tenantId);
      if (surroundings === undefined) throw new Error(`No copy of tenant ${tenantId}.`);
      refuseConflicts(await this.settings.effectiveOf(tx, actor.mspId, tenantId), changes, surroundings);
      const occurredAt = this.clock.now();
      await this.settings.keepChanges(tx, occurredAt, changes);
      for (const details of auditedChanges(changes)) {
        await audit(tx, { action: 'settings.changed', subjectId: tenantId, occurredAt, details });
      }
    });
  }

  /** Which kinds of account a login at the device may be for now, and why not the others. */
  async accountKinds(
    tx: Tx,
    device: Pick<DeviceCopy, 'mspId' | 'tenantId' | 'domain'>,
    effective: EffectiveSettings,
  ): Promise<AccountKinds> {
    const mode = effective.domainLoginMode.value;
    const asksDomain = device.domain !== null && mode !== 'LOCAL';
    const around = asksDomain ? await this.settings.surroundings(tx, device.mspId, [device.tenantId]) : null;
    const controllers = around?.get(device.tenantId)?.controllers ?? [];
    return domainLoginFacts({ mode, domain: device.domain, adminGroups: effective.domainAdminGroups.value, controllers });
  }

  async #requireGroups(tx: TenantTx, groupIds: readonly Id[]): Promise<void> {
    if (groupIds.length === 0) return;
    const known = await this.settings.knownGroups(tx, groupIds);
    const missing = groupIds.filter((id) => isId(id) && !known.has(id));
    if (missing.length === 0) return;
    const words = 'readerGroups must list technician groups of this tenant or of one above it.';
    throw new CopyMissing(missing, invalidInput('readerGroups', words));
  }
}
