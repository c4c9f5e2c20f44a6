import { lapsSettings, type LapsSettings } from '@stint/contracts';
import { apiName, isLaps, readOwnSettings, settingDefinitions, settingNames } from './settings.domain.ts';

/** The settings of LAPS that hold where these values are set, in the form in which services/laps-vault gets them. */
export function lapsSettingsOf(merged: unknown): LapsSettings {
  const own = readOwnSettings(merged);
  return lapsSettings.parse(
    Object.fromEntries(settingNames.filter(isLaps).map((name) => [apiName(name), own[name] ?? settingDefinitions[name].default])),
  );
}
