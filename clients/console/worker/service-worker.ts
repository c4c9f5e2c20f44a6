// Keeps the app at hand for times without network (the codes for computers without network), and shows push messages.

declare const self: ServiceWorkerGlobalScope;
/** The addresses of the app's files, from the bundler. */
declare const ASSETS: string[];

const shell = ['/app', ...ASSETS];
const cacheName = `stint-${ASSETS.join('')}`;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(shell)));
});

self.addEventListener('activate', (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) if (name !== cacheName) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

// The network first: what is shown offline is the app itself and nothing of anybody's data.
self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (origin !== self.location.origin || event.request.method !== 'GET') return;
  if (pathname !== '/app' && !pathname.startsWith('/app/')) return;
  const fromCache = async () => (await caches.match(event.request)) ?? (await caches.match('/app')) ?? Response.error();
  event.respondWith(fetch(event.request).catch(fromCache));
});

/** What services/tenants sends. `tag` is the login request: two messages of one login are one notification. */
interface Told {
  title: string;
  body: string;
  tag: string;
}

self.addEventListener('push', (event) => {
  const { title, body, tag } = event.data?.json() as Told;
  event.waitUntil(self.registration.showNotification(title, { body, tag, requireInteraction: true }));
});

// To the app where it is open, which asks again what waits; into a new window otherwise.
self.addEventListener('notificationclick', (event) => {
  const { notification } = event;
  notification.close();
  const open = async () => {
    // Its start page is not below /app/, so not controlled by this worker.
    const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const app = windows.find(({ url }) => /^\/app\/?$/.test(new URL(url).pathname));
    if (app === undefined) return self.clients.openWindow(`/app#${notification.tag}`);
    app.postMessage({ waiting: notification.tag });
    return app.focus();
  };
  event.waitUntil(open());
});

// A module of its own, so that `self` is this worker's.
export {};
