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

self.addEventListener('push', (event) => {
  const told = (event.data?.json() ?? {}) as { title?: string; body?: string; tag?: string };
  event.waitUntil(
    self.registration.showNotification(told.title ?? 'Stint', {
      body: told.body ?? 'Open Stint.',
      ...(told.tag !== undefined && { tag: told.tag }),
    }),
  );
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow('/app'));
});

// A module of its own, so that `self` is this worker's.
export {};
