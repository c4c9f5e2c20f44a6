import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Id } from '@stint/kernel';
import type { Actor, AuditEvent } from '@stint/contracts';
import { audit } from '@stint/messaging';
import { Tenancy } from '@stint/tenancy';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import { changeSettings, type EffectiveSettings, type SettingsPatch } from './settings.domain.ts';
import { SettingsRepository } from './settings.repository.ts';

/** Reading and changing JIT settings. */
@Injectable()
export class SettingsService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly settings: SettingsRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The effective settings of those of `tenantIds` that the actor reaches. */
  async effective(actor: Actor, tenantIds: readonly Id[]): Promise<Map<Id, EffectiveSettings>> {
    const visible = await this.directory.visible(actor, 'tenant', tenantIds);
    if (visible.size === 0) return new Map();
    return this.tenancy.readTenants(actor, (tx) => this.settings.effective(tx, actor.mspId, [...visible]));
  }

  /** Changes a tenant's own values, all or none. */
  async change(actor: Actor, tenantId: Id, patch: SettingsPatch): Promise<void> {
    await this.directory.inTenant(actor, tenantId, async (tx) => {
      const { own, changes } = changeSettings(await this.settings.ownLocked(tx, actor.mspId, tenantId), patch);
      if (changes.length === 0) return;
      await this.settings.save(tx, actor.mspId, tenantId, own);
      const details: AuditEvent['details'] = {};
      for (const change of changes) {
        details[`${change.name}.old`] = change.old;
        details[`${change.name}.new`] = change.new;
      }
      await audit(tx, { action: 'settings.changed', subjectId: tenantId, occurredAt: this.clock.now(), details });
    });
  }
}
