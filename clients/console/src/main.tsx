import { render } from 'preact';
import { ApprovePage } from './pages/approve.tsx';
import { EntraConsentPage, EntraConsentStartPage } from './pages/entra-consent.tsx';
import { EntraRequestPage } from './pages/entra-request.tsx';
import { HomePage } from './pages/home.tsx';
import { JoinPage } from './pages/join.tsx';
import { OfflineCodePage } from './pages/offline-code.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { SignedInPage } from './pages/signed-in.tsx';
import { Page } from './ui/page.tsx';

render(<Room path={location.pathname} />, document.body);
if (location.pathname.startsWith('/app') && 'serviceWorker' in navigator)
  void navigator.serviceWorker.register('/app/service-worker.js', { scope: '/app/' });

/** One page an address; addresses with a part of their own end in it. */
function Room({ path }: { path: string }) {
  const last = path.split('/').at(-1) ?? '';
  if (path === '/join') return <JoinPage token={location.hash.slice(1)} />;
  if (path.startsWith('/sign-in/')) return <SignInPage uid={last} />;
  if (path.startsWith('/l/')) return <ApprovePage code={last} />;
  if (path === '/entra/consent') return <EntraConsentPage />;
  if (path === '/app/entra/consent') return <EntraConsentStartPage tenantId={location.hash.slice(1)} />;
  if (path === '/app/entra') return <EntraRequestPage />;
  if (path === '/app/signed-in') return <SignedInPage />;
  if (path === '/app/offline') return <OfflineCodePage deviceId={location.hash.slice(1)} />;
  if (path === '/app' || path === '/app/') return <HomePage />;
  return (
    <Page title="Nothing here">
      <p>
        This address leads nowhere. <a href="/app">Go to the start</a>.
      </p>
    </Page>
  );
}
