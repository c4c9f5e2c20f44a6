import { keep, kept } from '../auth/key-store.ts';
import { base64url } from '../crypto/dpop.ts';
import { PushKeyDocument, RemovePushDocument, SavePushDocument } from '../generated/operations.ts';
import { ask, expectType } from '../graphql.ts';
import { newId } from '../new-id.ts';

/** `blocked`: the person told the browser never to ask again; `unsupported`: the browser has none (on iOS only an app on the home screen has). */
export type PushState = 'on' | 'off' | 'blocked' | 'unsupported';

/** Whom this browser gets push messages for, kept so that they go on in the person's next sign-in, and in nobody else's. */
interface Kept {
  id: string;
  technicianId: string;
}
const place = 'push-subscription';

/** Whether this browser tells the technician what waits for them. */
export async function pushState(technicianId: string): Promise<PushState> {
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return 'unsupported';
  if (Notification.permission === 'denied') return 'blocked';
  return (await subscriptionOf(technicianId)) === null ? 'off' : 'on';
}

/** Asks the person for permission and subscribes this browser. To be called from a click: browsers ask only then. */
export async function turnPushOn(technicianId: string): Promise<PushState> {
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') return permission === 'denied' ? 'blocked' : 'off';
  const manager = (await activeWorker()).pushManager;
  const { pushPublicKey: applicationServerKey } = await ask(PushKeyDocument, {});
  const subscribe = async () => manager.subscribe({ userVisibleOnly: true, applicationServerKey });
  // A subscription for another key, of an installation that was here before, is in the way.
  const subscription = await subscribe().catch(async () => {
    await (await manager.getSubscription())?.unsubscribe();
    return subscribe();
  });
  await save(subscription, { id: newId(), technicianId });
  return 'on';
}

/** Ends the push messages of this browser. */
export async function turnPushOff(): Promise<void> {
  const before = await kept<Kept>(place);
  await keep(place, undefined);
  await (await (await registration())?.pushManager.getSubscription())?.unsubscribe();
  if (before !== undefined) await ask(RemovePushDocument, { input: { id: before.id } });
}

/** To be called when the app starts: the server forgets a browser with its sign-in session, and browsers renew their keys. */
export async function keepPushOn(technicianId: string): Promise<void> {
  const before = await kept<Kept>(place);
  const subscription = before === undefined ? null : await subscriptionOf(technicianId);
  if (before === undefined || subscription === null) return;
  // With another key of the installation's, this subscription is good for nothing any more.
  const { pushPublicKey } = await ask(PushKeyDocument, {});
  const subscribedTo = subscription.options.applicationServerKey;
  if (subscribedTo !== null && base64url(new Uint8Array(subscribedTo)) !== pushPublicKey) return void (await turnPushOn(technicianId));
  await save(subscription, before);
}

async function subscriptionOf(technicianId: string): Promise<PushSubscription | null> {
  if ((await kept<Kept>(place))?.technicianId !== technicianId || !('PushManager' in window)) return null;
  return (await (await registration())?.pushManager.getSubscription()) ?? null;
}

async function save(subscription: PushSubscription, mine: Kept): Promise<void> {
  const key = (name: PushEncryptionKeyName) => base64url(new Uint8Array(subscription.getKey(name) ?? new ArrayBuffer(0)));
  const input = { id: mine.id, endpoint: subscription.endpoint, p256dh: key('p256dh'), auth: key('auth') };
  expectType((await ask(SavePushDocument, { input })).savePushSubscription, 'PushSubscription');
  await keep(place, mine);
}

async function registration(): Promise<ServiceWorkerRegistration | undefined> {
  return navigator.serviceWorker.getRegistration('/app/');
}

/** The worker's registration once it is active; `navigator.serviceWorker.ready` waits for ever at /app, which is not below /app/. */
async function activeWorker(): Promise<ServiceWorkerRegistration> {
  const found = await navigator.serviceWorker.register('/app/service-worker.js', { scope: '/app/' });
  const worker = found.installing ?? found.waiting;
  if (found.active === null && worker !== null)
    await new Promise<void>((resolve, reject) => {
      worker.addEventListener('statechange', () => {
        if (worker.state === 'activated') resolve();
        if (worker.state === 'redundant') reject(new Error('The browser could not set up the app. Reload this page.'));
      });
    });
  return found;
}
