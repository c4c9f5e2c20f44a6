import { Injectable } from '@nestjs/common';
import { emit, type Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { lapsSettingsOf } from './laps-settings.domain.ts';
import { SettingsRepository } from './settings.repository.ts';

const batch = 200;

/**
 * Tells services/laps-vault how break-glass accounts work in each tenant, wherever that differs from what it was told
 * last: after a change on the tenant or above it, and when a tenant appears or moves (ADR 0014).
 */
@Injectable()
export class LapsSettingsSweep implements Sweep {
  readonly name = 'laps-settings';
  readonly everyMs = 5_000;

  constructor(private readonly settings: SettingsRepository) {}

  async run(tx: SystemTx): Promise<number> {
    const told = await this.settings.tellLaps(tx, batch);
    for (const { merged, ...rest } of told) await emit(tx, 'laps-settings-changed', { ...rest, settings: lapsSettingsOf(merged) });
    return told.length;
  }
}
