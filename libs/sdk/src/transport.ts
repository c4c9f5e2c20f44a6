import { NetworkError } from './errors.ts';

/** Sends one request; whatever fails below HTTP, the timeout included, becomes a `NetworkError`, except the caller's own abort. */
export async function send(
  url: string,
  init: RequestInit,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Response> {
  const timeout = AbortSignal.timeout(limits.timeoutMs);
  const signal = limits.signal ? AbortSignal.any([limits.signal, timeout]) : timeout;
  return networkErrors(url, limits, () => fetch(url, { redirect: 'error', ...init, signal }));
}

/** Reads a JSON body; anything else comes from a proxy or a broken connection and is a `NetworkError`. */
export async function readJson(
  response: Response,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Record<string, unknown>> {
  const text = await networkErrors(response.url, limits, () => response.text());
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Told below, without the body: it may hold anything.
  }
  throw new NetworkError(`${response.url} answered HTTP ${response.status} without JSON.`);
}

async function networkErrors<T>(
  url: string,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (limits.signal?.aborted) throw error;
    const timedOut = (error as { name?: string }).name === 'TimeoutError';
    throw new NetworkError(
      timedOut ? `${url} did not answer within ${limits.timeoutMs} ms.` : `${url} cannot be reached: ${reason(error)}`,
      { cause: error },
    );
  }
}

function reason(error: unknown): string {
  // fetch hides the useful part (ECONNREFUSED, certificate errors) in the cause.
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
