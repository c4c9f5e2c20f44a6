import { displayName, email } from '@stint/contracts';
import { publicKeyX } from '@stint/crypto';
import { expectType, ProblemError, StintClient, StintError } from '@stint/sdk';
import { CommandRefusal, UsageError } from '../failure.ts';
import { RedeemInvitationDocument, WhoAmIDocument } from '../generated/operations.ts';
import { isInteractive } from '../io.ts';
import { newProfileContent, toProfile, type ProfileContent } from '../profile/profile.ts';
import { ask } from '../prompt.ts';
import type { Session } from '../session.ts';
import { invitationMark, type Invitation } from './invitation.ts';

/** What a person tells about themselves when they join. */
export interface Details {
  name?: string;
  email?: string;
  msp?: string;
}

/** Who a credential turned out to be. `tenant` is null where it could not be asked. */
export interface Person {
  credentialId: string;
  technician: { id: string; displayName: string; email: string };
  tenant: { id: string; name: string } | null;
}

/**
 * Redeems an invitation for a key pair made here. The key is on disk before the server hears of it and stays there until
 * it is certain whether the server took it: the same command, repeated after a crash or a lost answer, goes on from there.
 */
export async function signIn(session: Session, invitation: Invitation, details: Details, replace: boolean): Promise<Person> {
  const { store, profileName, output } = session;
  if (!replace && (await store.exists(profileName))) {
    throw new CommandRefusal(
      'PROFILE_EXISTS',
      `Profile "${profileName}" is signed in already. Take another --profile, or pass --replace to give up its key.`,
    );
  }
  const unfinished = await unfinishedSignIn(session, invitation, replace);
  if (unfinished.known !== null) {
    await store.finish(profileName);
    return unfinished.known;
  }
  const name =
    details.name ?? checked(displayName, await ask(session.io, 'Your name:', 'Pass --name: your name as others will see it.'), 'Your name');
  const content = unfinished.pending ?? newProfileContent(invitation.url, invitationMark(invitation));
  if (unfinished.pending === null) await store.begin(profileName, content);
  let known: Person;
  try {
    known = await redeem(session, invitation, content, { ...details, name });
  } catch (error) {
    if (!(error instanceof ProblemError || error instanceof UsageError || error instanceof CommandRefusal)) {
      output.note('Whether the server took the key is not known. It is kept: run the same command again.');
      throw error;
    }
    // The server said no; to another run of this command that used the same key it may have said yes.
    const already = await whoHas(profileName, content);
    if (already === null) {
      await store.abandon(profileName);
      throw error;
    }
    known = already;
  }
  await store.finish(profileName);
  // Signed in already, whether or not the server can say more about it now.
  return (await whoHas(profileName, content).catch(() => null)) ?? known;
}

/** What an earlier, cut-off run left: a key that the server took (`known`), or one to try again with (`pending`), or nothing. */
async function unfinishedSignIn(
  { store, profileName }: Session,
  invitation: Invitation,
  replace: boolean,
): Promise<{ known: Person | null; pending: ProfileContent | null }> {
  const pending = await store.pending(profileName);
  if (pending === null) return { known: null, pending: null };
  const sameLink = pending.invitation === invitationMark(invitation);
  if (!sameLink && replace) {
    await store.abandon(profileName);
    return { known: null, pending: null };
  }
  const known = await whoHas(profileName, pending);
  if (sameLink) return { known, pending };
  if (known === null) {
    await store.abandon(profileName);
    return { known: null, pending: null };
  }
  await store.finish(profileName);
  throw new CommandRefusal(
    'PROFILE_EXISTS',
    `An earlier sign-in of profile "${profileName}", by another link, had reached the server: the profile is now ${known.technician.email}. Take another --profile for this link.`,
  );
}

/** Who signs in with this key; null where the server does not know it. */
async function whoHas(profileName: string, content: ProfileContent): Promise<Person | null> {
  const { credentialId, privateKey, url } = toProfile(profileName, content);
  try {
    const { viewer } = await new StintClient({ url, credential: { id: credentialId, privateKey } }).request(WhoAmIDocument);
    if (viewer.technician === null) return null;
    const { id, displayName: name, email: address } = viewer.technician;
    return { credentialId, technician: { id, displayName: name, email: address }, tenant: viewer.tenant };
  } catch (error) {
    if (error instanceof StintError && error.code === 'UNAUTHENTICATED') return null;
    throw error;
  }
}

async function redeem(
  session: Session,
  invitation: Invitation,
  content: ProfileContent,
  details: Details & { name: string },
): Promise<Person> {
  const client = new StintClient({ url: invitation.url });
  const publicKey = publicKeyX(toProfile(session.profileName, content).privateKey);
  for (let given = details; ;) {
    const input = {
      token: invitation.token,
      displayName: given.name,
      credentialId: content.credentialId,
      publicKey,
      ...(given.email === undefined ? {} : { email: given.email }),
      ...(given.msp === undefined ? {} : { mspName: given.msp }),
    };
    const { redeemInvitation } = await client.request(RedeemInvitationDocument, { input });
    // Only the server knows whether the link is the first administrator's, which asks for more.
    const more = redeemInvitation.__typename === 'InvalidInput' ? await askForMissing(session, redeemInvitation.field, given) : null;
    if (more === null) {
      const { credentialId, technician } = expectType(redeemInvitation, 'SignUp');
      return { credentialId, technician, tenant: null };
    }
    given = { ...given, ...more };
  }
}

async function askForMissing({ io }: Session, field: string, given: Details): Promise<Details | null> {
  const missing = (field === 'email' && given.email === undefined) || (field === 'mspName' && given.msp === undefined);
  if (!missing) return null;
  if (!isInteractive(io)) throw new UsageError("This is the first administrator's link: pass --email and --msp as well.");
  if (field === 'email') return { email: checked(email, await ask(io, 'Your email address:', ''), 'Your email address') };
  return { msp: checked(displayName, await ask(io, "The MSP's name:", ''), "The MSP's name") };
}

function checked(rule: typeof displayName, value: string, what: string): string {
  const result = rule.safeParse(value);
  if (result.success) return result.data;
  throw new UsageError(`${what} ${result.error.issues[0]?.message ?? 'is not valid'}.`);
}
