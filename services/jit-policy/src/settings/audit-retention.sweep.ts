import { Injectable } from '@nestjs/common';
import { emit, type Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { settingDefinitions } from './settings.domain.ts';
import { SettingsRepository } from './settings.repository.ts';

const batch = 200;

/**
 * Tells services/tenants, and services/entra-connector for its own traces, how long each tenant's audit events are kept, wherever that differs from what they were told last:
 * after a change of the setting on the tenant or above it, and when a tenant appears or moves.
 */
@Injectable()
export class AuditRetentionSweep implements Sweep {
  readonly name = 'audit-retention';
  readonly everyMs = 30_000;

  constructor(private readonly settings: SettingsRepository) {}

  async run(tx: SystemTx): Promise<number> {
    const told = await this.settings.tellRetention(tx, settingDefinitions.auditRetentionDays.default, batch);
    for (const retention of told) await emit(tx, 'audit-retention-changed', retention);
    return told.length;
  }
}
