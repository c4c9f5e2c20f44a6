import { Refusal, type Clock } from '@stint/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { InteractionResults, Provider } from 'oidc-provider';
import { z } from 'zod';
import { withPublicAddress } from './authorization-server.ts';
import { byIdentityProvider, byPasskey, interactionSeconds } from './oidc-configuration.ts';
import { errorBody } from './public-error.ts';
import { SignInRefused, type SignInStore } from './sign-in.store.ts';

/** How often one open sign-in may ask for a challenge or an identity provider. */
export const maxTries = 10;
const callbackPath = '/sign-in/identity-provider/callback';

const passkeyBody = z.object({ response: z.looseObject({ response: z.looseObject({ clientDataJSON: z.string() }) }) });
const identityProviderBody = z.object({ email: z.string().min(3).max(254) });
const clientData = z.object({ challenge: z.string() });

/** What an open sign-in remembers from step to step, beside oidc-provider's own result. */
const steps = z.object({
  /** The challenges that this browser was given and has not answered. */
  challenges: z.array(z.string()).default([]),
  identityProvider: z.object({ transaction: z.string() }).optional(),
  /** The identity provider vouched for this technician; a passkey of theirs is wanted too. */
  vouchedFor: z.string().optional(),
  /** Why the last step failed, for the page to show. */
  problem: z.string().optional(),
});
type Steps = z.infer<typeof steps>;
type OpenSignIn = InstanceType<Provider['Interaction']>;

/**
 * What the sign-in page asks: JSON for pages of our own origin alone, and only for the browser that began the sign-in
 * (its interaction cookie). Answers `{ location }` where the browser goes next.
 */
export function mountSignInEndpoints(
  app: FastifyInstance,
  { provider, signIns, publicUrl, clock }: { provider: Provider; signIns: SignInStore; publicUrl: string; clock: Clock },
): void {
  const cookieName = `${provider.cookieName('interaction')}-return`;
  const { origin } = new URL(publicUrl);
  const secure = publicUrl.startsWith('https:');

  const noStore = async (_request: FastifyRequest, reply: FastifyReply) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer');
  };
  const ownPagesOnly = async (request: FastifyRequest) => {
    // What a foreign page can send without asking carries no JSON, and every browser tells the origin of a POST (Fetch §3.2).
    if (request.headers.origin !== origin || !/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
      throw new Refusal('FORBIDDEN', 'This is for the sign-in page alone.');
  };
  const post = { onRequest: [noStore, ownPagesOnly] };

  const openSignIn = async (request: FastifyRequest, reply: FastifyReply): Promise<OpenSignIn> => {
    const { uid } = request.params as { uid: string };
    const signIn = await provider.interactionDetails(withPublicAddress(request.raw, publicUrl), reply.raw).catch(() => null);
    if (signIn?.uid !== uid) throw new Refusal('NOT_FOUND', 'This sign-in is over, or was begun in another browser. Start again.');
    return signIn;
  };
  const countTry = async (signIn: OpenSignIn) => {
    if ((await signIns.countTry(signIn.uid)) > maxTries) throw new Refusal('LIMITED', 'Too many tries. Start the sign-in again.');
  };
  const finish = async (signIn: OpenSignIn, technicianId: string, at: Date, amr: string[]): Promise<string> => {
    const login = { accountId: technicianId, ts: Math.floor(at.getTime() / 1000), amr, remember: false };
    await keep(signIn, { login });
    return signIn.returnTo;
  };

  app.get('/sign-in/:uid/details', { onRequest: noStore }, async (request, reply) => {
    const signIn = await openSignIn(request, reply);
    const { vouchedFor, problem } = stepsOf(signIn);
    const client = await provider.Client.find(String(signIn.params['client_id']));
    return {
      client: { id: client?.clientId, name: client?.clientName },
      expiresAt: new Date(signIn.exp * 1000).toISOString(),
      // After the identity provider has vouched for somebody, only their passkey is left to ask for.
      identityProvider: vouchedFor === undefined,
      email: typeof signIn.params['login_hint'] === 'string' ? signIn.params['login_hint'] : null,
      problem: problem ?? null,
    };
  });

  app.post('/sign-in/:uid/passkey/options', post, async (request, reply) => {
    const signIn = await openSignIn(request, reply);
    await countTry(signIn);
    const options = z.looseObject({ challenge: z.string() }).parse(JSON.parse(await signIns.startPasskey()));
    const before = stepsOf(signIn);
    await keep(signIn, { ...before, challenges: [...before.challenges, options.challenge].slice(-maxTries) });
    return options;
  });

  app.post('/sign-in/:uid/passkey', post, async (request, reply) => {
    const signIn = await openSignIn(request, reply);
    const { response } = checked(passkeyBody, request.body);
    const before = stepsOf(signIn);
    const challenge = challengeOf(response.response.clientDataJSON);
    // An answer to somebody else's challenge would sign this browser in as them (login CSRF).
    if (challenge === null || !before.challenges.includes(challenge)) throw new SignInRefused('Ask for the passkey again.');
    await keep(signIn, { ...before, challenges: before.challenges.filter((one) => one !== challenge) });
    const vouchedFor = before.vouchedFor ?? null;
    const userAgent = (request.headers['user-agent'] ?? '').slice(0, 1_000);
    const { technicianId, signedInAt } = await signIns.finishPasskey({ response: JSON.stringify(response), userAgent, vouchedFor });
    if (vouchedFor !== null && vouchedFor !== technicianId)
      throw new SignInRefused('This passkey belongs to somebody else than your identity provider says.');
    const amr = vouchedFor === null ? [byPasskey] : [byIdentityProvider, byPasskey];
    return { location: await finish(signIn, technicianId, signedInAt, amr) };
  });

  app.post('/sign-in/:uid/identity-provider', post, async (request, reply) => {
    const signIn = await openSignIn(request, reply);
    await countTry(signIn);
    const { email } = checked(identityProviderBody, request.body);
    const { url, transaction } = await signIns.startIdentityProvider(email, `${publicUrl}${callbackPath}`);
    await keep(signIn, { ...stepsOf(signIn), identityProvider: { transaction }, problem: undefined });
    // The interaction's own cookie does not reach the address to which the identity provider returns.
    const options = {
      path: callbackPath,
      httpOnly: true,
      sameSite: 'lax' as const,
      secure,
      signed: true,
      maxAge: interactionSeconds * 1000,
    };
    provider.createContext(request.raw, reply.raw).cookies.set(cookieName, signIn.uid, options);
    return { location: url };
  });

  app.get(callbackPath, { onRequest: noStore }, async (request, reply) => {
    const { cookies } = provider.createContext(withPublicAddress(request.raw, publicUrl), reply.raw);
    const uid = cookies.get(cookieName, { signed: true });
    const signIn = uid === undefined ? undefined : await provider.Interaction.find(uid);
    const before = signIn && stepsOf(signIn);
    if (!signIn || !before?.identityProvider) throw new Refusal('NOT_FOUND', 'This sign-in is over, or was begun in another browser.');
    const page = `${publicUrl}/sign-in/${signIn.uid}`;
    // Used up, whatever comes of it.
    await keep(signIn, { ...before, identityProvider: undefined });
    try {
      const { transaction } = before.identityProvider;
      const { technicianId, passkeyToo } = await signIns.finishIdentityProvider(transaction, `${publicUrl}${request.raw.url ?? ''}`);
      if (!passkeyToo) return await reply.redirect(await finish(signIn, technicianId, clock.now(), [byIdentityProvider]), 303);
      await keep(signIn, { ...before, identityProvider: undefined, problem: undefined, vouchedFor: technicianId });
    } catch (error) {
      if (!(error instanceof SignInRefused)) throw error;
      await keep(signIn, { ...before, identityProvider: undefined, problem: error.message });
    }
    return reply.redirect(page, 303);
  });
}

/** Answers a refused sign-in; true when the error was one. */
export function answerSignInRefused(error: unknown, reply: FastifyReply): boolean {
  if (!(error instanceof SignInRefused)) return false;
  void reply.code(403).send(errorBody('SIGN_IN_REFUSED', error.message));
  return true;
}

function stepsOf(signIn: OpenSignIn): Steps {
  return steps.parse(signIn.result?.['stint'] ?? {});
}

async function keep(signIn: OpenSignIn, next: Steps | Required<Pick<InteractionResults, 'login'>>): Promise<void> {
  signIn.result = 'login' in next ? next : { stint: next };
  await signIn.persist();
}

function challengeOf(clientDataJson: string): string | null {
  try {
    return clientData.parse(JSON.parse(Buffer.from(clientDataJson, 'base64url').toString('utf8'))).challenge;
  } catch {
    return null;
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Refusal('MALFORMED', 'The request does not have the fields that it needs.');
  return parsed.data;
}
