import { useEffect, useState } from 'preact/hooks';
import { BeginEntraConsentDocument, FinishEntraConsentDocument, type FinishEntraConsentMutation } from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { Button, Problem, useAction } from '../ui/action.tsx';
import { Page } from '../ui/page.tsx';

type Connection = Extract<FinishEntraConsentMutation['finishEntraConsent'], { __typename: 'EntraConnection' }>;

// What Microsoft appended moves behind the #: a sign-in in between comes back to it, and no server sees it a second time.
if (location.search !== '' && location.pathname === '/entra/consent')
  history.replaceState(null, '', `${location.pathname}#${location.search.slice(1)}`);

/** Where the consent of a customer's administrator begins; it ends in the same browser. */
export function EntraConsentStartPage({ tenantId }: { tenantId: string }) {
  const { busy, problem, act } = useAction();
  return (
    <Page title="Consent in Entra">
      <p>An administrator of the customer's Entra tenant signs in at Microsoft, and consents to what Stint's application may do there.</p>
      <Problem text={problem} />
      <Button
        busy={busy}
        onClick={() =>
          act(async () => {
            const { beginEntraConsent } = await ask(BeginEntraConsentDocument, { input: { tenantId } });
            location.assign(expectType(beginEntraConsent, 'EntraConsent').url);
          })
        }
      >
        Go to Microsoft
      </Button>
    </Page>
  );
}

/** Where Microsoft's consent page sends an administrator back to. */
export function EntraConsentPage() {
  const { problem, act } = useAction();
  const [connection, setConnection] = useState<Connection | null>(null);
  useEffect(
    () =>
      act(async () => {
        const answer = new URLSearchParams(location.hash.slice(1));
        const input = {
          state: answer.get('state') ?? '',
          entraTenantId: answer.get('tenant'),
          given: answer.get('admin_consent')?.toLowerCase() === 'true',
          error: answer.get('error'),
        };
        setConnection(expectType((await ask(FinishEntraConsentDocument, { input })).finishEntraConsent, 'EntraConnection'));
        history.replaceState(null, '', location.pathname);
      }),
    [],
  );
  if (connection === null)
    return (
      <Page title="Consent">
        <Problem text={problem} />
      </Page>
    );
  return (
    <Page title={connection.usable ? 'Connected' : 'Consent was given'}>
      <p>
        {connection.entraTenantName ?? 'The Entra tenant'}{' '}
        {connection.usable ? 'is connected. Access can be given now.' : 'is not ready yet.'}
      </p>
      {connection.problems.map(({ code, message, nextStep }) => (
        <div class="card" key={`${code} ${message}`}>
          <p>{message}</p>
          <p class="quiet">{nextStep}</p>
        </div>
      ))}
    </Page>
  );
}
