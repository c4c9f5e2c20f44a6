import { generateHpkeKeyPair, openBytes, type HpkeKeyPair, type Sealed } from './hpke.ts';
import { lapsSealing } from './laps-sealing.ts';

// Nothing of Node in this file: the command line, web consoles and partners open passwords with this very function.

/** How sure it is that a password is the one on the computer. */
export type LapsCertainty = 'CONFIRMED' | 'CANDIDATE' | 'FORMER';

/** A password as `revealLapsPassword` and `checkOutLapsAccount` answer it. */
export interface SealedCandidate extends Sealed {
  versionId: string;
  certainty: LapsCertainty;
}

/** The same, opened. */
export type OpenedCandidate<Candidate> = Omit<Candidate, keyof Sealed> & {
  /** Null when it was not sealed to this reader for this account and version. */
  password: string | null;
};

/** A key pair for one reveal: its public half is the call's `recipientKey`. Keep it in memory only, and use it once. */
export function newRevealKey(): Promise<HpkeKeyPair> {
  return generateHpkeKeyPair();
}

const order: Readonly<Record<LapsCertainty, number>> = { CONFIRMED: 0, CANDIDATE: 1, FORMER: 2 };

/**
 * Opens the candidates of one reveal with the private half of its key (base64url): confirmed first, then candidates, then
 * former ones, each in the order of the answer. One that does not open keeps none of the others back.
 */
export async function openReveal<Candidate extends SealedCandidate>(
  reader: { privateKey: string; accountId: string },
  candidates: readonly Candidate[],
): Promise<OpenedCandidate<Candidate>[]> {
  const opened = candidates.map(async ({ enc, ciphertext, ...candidate }) => {
    const { info, aad } = lapsSealing.reveal;
    const place = { privateKey: reader.privateKey, info, aad: aad(reader.accountId, candidate.versionId) };
    return { ...candidate, password: await openBytes(place, { enc, ciphertext }).then(text, () => null) };
  });
  return (await Promise.all(opened)).sort((a, b) => order[a.certainty] - order[b.certainty]);
}

function text(bytes: Uint8Array): string {
  const decoded = new TextDecoder().decode(bytes);
  bytes.fill(0);
  return decoded;
}
