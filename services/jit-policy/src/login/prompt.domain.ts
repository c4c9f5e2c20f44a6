import { addSeconds } from '@stint/kernel';

const mostPrompts = 3;
const windowSeconds = 600;
const firstPauseSeconds = 60;
const afterNotMeSeconds = 3600;
/** How far back prompts count. */
export const promptMemorySeconds = 86_400;

/** A prompt that a technician got within the last day. */
export interface PastPrompt {
  askedAt: Date;
  /** When it was answered, and how; null for one that was not, whatever became of it. */
  answer: { at: Date; was: 'approved' | 'denied' } | null;
  /** When the technician said that it was not them. */
  disownedAt: Date | null;
}

/**
 * Why the technician gets no prompt now, in words for the audit log; null when they get one. At most 3 in 10 minutes,
 * whoever asks; after a denial a pause of 1 minute, twice as long after each further one in a row (MFA fatigue: CISA,
 * "Implementing Number Matching in MFA Applications", 2022); an hour after "not me".
 */
export function whyNoPrompt(past: readonly PastPrompt[], now: Date): string | null {
  const within = (at: Date | null, seconds: number) => at !== null && now < addSeconds(at, seconds);
  if (past.some(({ disownedAt }) => within(disownedAt, afterNotMeSeconds))) return 'The technician said “not me” less than an hour ago.';
  const denials = deniedInARow(past);
  const last = denials[0];
  if (last !== undefined && within(last, firstPauseSeconds * 2 ** (denials.length - 1)))
    return `The technician has denied ${denials.length} in a row.`;
  if (past.filter(({ askedAt }) => within(askedAt, windowSeconds)).length >= mostPrompts)
    return `The technician was asked ${mostPrompts} times within 10 minutes.`;
  return null;
}

/** When the newest denials were, newest first, up to the last approval. */
function deniedInARow(past: readonly PastPrompt[]): Date[] {
  const answers = past.flatMap(({ answer }) => answer ?? []).sort((a, b) => b.at.getTime() - a.at.getTime());
  const approved = answers.findIndex(({ was }) => was === 'approved');
  return (approved === -1 ? answers : answers.slice(0, approved)).map(({ at }) => at);
}
