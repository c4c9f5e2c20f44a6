import { z } from 'zod';
import { addSeconds, type Clock } from '@stint/kernel';
import type { CloudAddresses } from './cloud.domain.ts';
import { DirectoryError } from './directory-error.ts';
import { tokenFailure } from './token-failure.domain.ts';

/** How the app proves itself: with its secret, or with an assertion that its certificate's key has signed (RFC 7523). */
export type Proof = { client_secret: string } | { client_assertion: string; client_assertion_type: typeof assertionType };
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Whose token. */
export interface TokenOwner {
  /** Of the credential: another one gets tokens of its own. */
  key: string;
  entraTenantId: string;
  clientId: string;
  addresses: CloudAddresses;
  /** Called for each token, so that what proves us is in memory no longer than that. */
  prove: (audience: string) => Promise<Proof>;
}

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() });
const refusalAnswer = z.object({
  error: z.string().default(''),
  error_description: z.string().default(''),
  error_codes: z.array(z.number()).default([]),
});

/** So long before its end a token is not used any more. */
const marginSeconds = 300;

/** Access tokens for Graph (client credentials, RFC 6749 §4.4), kept in memory until shortly before their end. */
export class TokenSource {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #kept = new Map<string, { token: string; until: Date }>();
  readonly #underWay = new Map<string, Promise<string>>();

  constructor(options: { clock: Clock; timeoutMs: number }) {
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
  }

  /** A token; a new one where `fresh`. `DirectoryError` CREDENTIAL, THROTTLED or UNAVAILABLE. */
  async token(owner: TokenOwner, fresh = false): Promise<string> {
    const now = this.#clock.now();
    const kept = this.#kept.get(owner.key);
    if (!fresh && kept !== undefined && kept.until > now) return kept.token;
    const known = fresh ? undefined : this.#underWay.get(owner.key);
    if (known !== undefined) return known;
    const asking = this.#ask(owner, now).finally(() => {
      if (this.#underWay.get(owner.key) === asking) this.#underWay.delete(owner.key);
    });
    this.#underWay.set(owner.key, asking);
    return asking;
  }

  async #ask(owner: TokenOwner, now: Date): Promise<string> {
    const { addresses, entraTenantId, clientId } = owner;
    const url = `${addresses.loginUrl}/${encodeURIComponent(entraTenantId)}/oauth2/v2.0/token`;
    const proof = await owner.prove(url);
    const form = new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: clientId, scope: `${addresses.graphUrl}/.default` },
      ...proof,
    });
    const { status, body } = await this.#post(url, form);
    const answer = tokenAnswer.safeParse(body);
    if (status !== 200 || !answer.success) {
      const refusal = refusalAnswer.catch({ error: '', error_description: '', error_codes: [] }).parse(body);
      throw tokenFailure({
        ...{ status: status === 200 ? 502 : status, error: refusal.error },
        ...{ description: refusal.error_description, numbers: refusal.error_codes },
      });
    }
    const { access_token: token, expires_in: seconds } = answer.data;
    for (const [key, { until }] of this.#kept) if (until <= now) this.#kept.delete(key);
    this.#kept.set(owner.key, { token, until: addSeconds(now, seconds - marginSeconds) });
    return token;
  }

  async #post(url: string, form: URLSearchParams): Promise<{ status: number; body: unknown }> {
    try {
      const response = await fetch(url, { method: 'POST', body: form, redirect: 'error', signal: AbortSignal.timeout(this.#timeoutMs) });
      return { status: response.status, body: await response.json() };
    } catch {
      // What failed is not told further: it may quote what was sent.
      throw new DirectoryError({ kind: 'UNAVAILABLE', message: "Microsoft's sign-in cannot be reached." });
    }
  }
}
