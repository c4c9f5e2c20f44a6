import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const contentSecurityPolicy = [
  "default-src 'none'",
  ...['script', 'style', 'connect', 'font', 'manifest', 'worker'].map((kind) => `${kind}-src 'self'`),
  "img-src 'self' data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the console's built bundle below /app, and its page at the addresses that people are sent to. Files are read
 * once at the start: a request never names a file of the disk.
 */
export function mountWebApp(app: FastifyInstance, folder: string): void {
  const files = filesOf(folder);
  const page = files.get('index.html');

  const send = (reply: FastifyReply, name: string, body: Buffer) => {
    const html = name.endsWith('.html');
    // The bundler puts a hash of the content into the names below assets/.
    const cache = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : html ? 'no-store' : 'no-cache';
    void reply
      .header('content-type', types[extname(name)] ?? 'application/octet-stream')
      .header('cache-control', cache)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'no-referrer')
      .header('content-security-policy', contentSecurityPolicy)
      .header('cross-origin-opener-policy', 'same-origin');
    return reply.send(body);
  };
  const sendPage = (_request: unknown, reply: FastifyReply) =>
    page === undefined
      ? reply.code(404).type('text/plain; charset=utf-8').send('The web app is not part of this installation.')
      : send(reply, 'index.html', page);

  for (const path of ['/app', '/sign-in/:uid', '/join', '/l/:code', '/entra/consent']) app.get(path, sendPage);
  app.get('/app/*', (request, reply) => {
    const name = (request.params as { '*': string })['*'];
    const file = files.get(name);
    if (file !== undefined) return send(reply, name, file);
    // A page's own address, unless it looks like a file that is not there (any more).
    return extname(name) === '' ? sendPage(request, reply) : reply.callNotFound();
  });
}

function filesOf(folder: string): ReadonlyMap<string, Buffer> {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path).replaceAll(sep, '/'), readFileSync(path)];
    }),
  );
}
