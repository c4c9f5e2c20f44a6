import { useEffect, useState } from 'preact/hooks';
import { finishSignIn } from '../auth/session.ts';
import { Page } from '../ui/page.tsx';

/** Where the authorization server sends people back to; leads on to where they wanted to go. */
export function SignedInPage() {
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    finishSignIn().then(
      (returnTo) => location.replace(returnTo),
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  }, []);
  return (
    <Page title={problem === null ? 'Signing in …' : 'Not signed in'}>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem} <a href="/app">Start again</a>.
        </p>
      )}
    </Page>
  );
}
