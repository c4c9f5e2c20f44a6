import { useEffect, useState } from 'preact/hooks';
import { offlineCode } from '../crypto/codes.ts';
import { Page } from '../ui/page.tsx';

/** The code for a computer without network, whose screen showed its id. Works without network here, too. */
export function OfflineCodePage({ deviceId }: { deviceId: string }) {
  const [code, setCode] = useState<string | null>();
  useEffect(() => {
    const show = () => void offlineCode(deviceId).then(setCode);
    show();
    const timer = setInterval(show, 1000);
    return () => clearInterval(timer);
  }, [deviceId]);
  return (
    <Page title="Code for a computer without network">
      {code === null ? (
        <p class="problem">This browser has no secret of yours. Set up codes on the start page while you are online.</p>
      ) : (
        <p class="number">{code ?? '······'}</p>
      )}
      <p class="quiet">Computer {deviceId}</p>
      <p>The code is for this computer only, works once, and changes every 30 seconds. If it is refused, compare the clocks.</p>
    </Page>
  );
}
