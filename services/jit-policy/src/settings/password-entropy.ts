import { lapsPasswordEntropyBits } from '@stint/crypto';
import type { EffectiveSettings } from './settings.domain.ts';

/** How hard passwords that these settings make are to guess, in bits. */
export function passwordEntropyBits(effective: EffectiveSettings): number {
  return lapsPasswordEntropyBits({
    style: effective.lapsPasswordStyle.value,
    length: effective.lapsPasswordLength.value,
    words: effective.lapsPassphraseWords.value,
    unambiguous: effective.lapsPasswordUnambiguous.value,
    symbols: effective.lapsPasswordSymbols.value,
  });
}
