import { useState } from 'preact/hooks';
import { openEntraCredential } from '@stint/crypto/entra-credential';
import { EntraCredentialDocument, RenewEntraCredentialDocument } from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { Button, Problem, useAction } from '../ui/action.tsx';
import { Facts } from '../ui/page.tsx';
import { instantText } from '../ui/time.ts';
import { credentialKey, makeCredentialKey } from './credential-key.ts';

interface Opened {
  kind: 'TEMPORARY_ACCESS_PASS' | 'PASSWORD';
  userPrincipalName: string;
  secret: string;
  endsAt: string | null;
  notice: string | null;
}
const kindText: Record<Opened['kind'], string> = { TEMPORARY_ACCESS_PASS: 'Temporary Access Pass', PASSWORD: 'Password' };

/** How to sign in at Microsoft for one running grant: opened in this browser alone, and only on the screen. */
export function EntraCredential({ grantId }: { grantId: string }) {
  const { busy, problem, act } = useAction();
  const [opened, setOpened] = useState<Opened | null>(null);
  if (opened !== null)
    return (
      <>
        <Facts
          rows={[
            ['Sign in as', <code>{opened.userPrincipalName}</code>],
            [kindText[opened.kind], <code class="secret">{opened.secret}</code>],
            ['Until', opened.endsAt === null ? null : instantText(opened.endsAt)],
          ]}
        />
        {opened.notice !== null && <p class="quiet">{opened.notice}</p>}
        <Button kind="quiet" onClick={() => setOpened(null)}>
          Hide
        </Button>
      </>
    );
  return (
    <>
      <Problem text={problem} />
      <Button busy={busy} onClick={() => act(async () => setOpened(await open(grantId)))}>
        How to sign in
      </Button>
      {problem !== null && (
        <Button
          kind="quiet"
          busy={busy}
          onClick={() =>
            act(async () => {
              const recipientKey = await makeCredentialKey(grantId);
              const { renewEntraCredential } = await ask(RenewEntraCredentialDocument, { input: { grantId, recipientKey } });
              expectType(renewEntraCredential, 'Grant');
            })
          }
        >
          Have it made anew for this browser
        </Button>
      )}
    </>
  );
}

async function open(grantId: string): Promise<Opened> {
  const { grant } = await ask(EntraCredentialDocument, { grantId });
  const sealed = grant?.entraCredential;
  if (grant?.tenant == null || sealed == null) throw new Error('It is not ready yet. Try again in a moment.');
  const privateKey = await credentialKey(grantId);
  if (privateKey === undefined) throw new Error('This was asked for in another browser: only that one can open it.');
  const { kind, userPrincipalName, endsAt, notice } = sealed;
  const reader = { privateKey, tenantId: grant.tenant.id, grantId };
  const secret = await openEntraCredential(reader, sealed).catch(() => {
    throw new Error('What is there was sealed to another key. If it is being made anew, try again in a moment.');
  });
  return { kind, userPrincipalName, secret, endsAt: endsAt ?? null, notice: notice ?? null };
}
