import { badRequest, type Answer } from '../http/answer.ts';

/** One request of a batch, read. */
interface Part {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string>;
  body: unknown;
  dependsOn: string[];
}

const most = 20;

/** POST $batch: parts go through `dispatch` as calls of their own; the answers come back in another order than they were asked. */
export async function answerBatch(body: unknown, dispatch: (part: Omit<Part, 'id' | 'dependsOn'>) => Promise<Answer>): Promise<Answer> {
  const parts = readParts(body);
  const answers = new Map<string, Answer>();
  for (const part of parts) {
    const failed = part.dependsOn.some((id) => (answers.get(id)?.status ?? 500) >= 400);
    answers.set(part.id, failed ? failedDependency : await dispatch(part));
  }
  const responses = [...answers].reverse().map(([id, { status, headers = {}, body: answer }]) => ({
    id,
    status,
    headers: { ...headers, ...(answer === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(answer === undefined ? {} : { body: answer }),
  }));
  return { status: 200, body: { responses } };
}

const failedDependency: Answer = {
  status: 424,
  body: { error: { code: 'FailedDependency', message: 'A request that this one depends on has failed.' } },
};

function readParts(body: unknown): Part[] {
  const requests = (body as { requests?: unknown } | null)?.requests;
  if (!Array.isArray(requests) || requests.length === 0) throw badRequest('Invalid batch payload format.');
  if (requests.length > most) throw badRequest(`Number of batch request steps exceeds the maximum value of ${most}.`);
  const parts = requests.map(readPart);
  const ids = new Set<string>();
  for (const { id, dependsOn } of parts) {
    if (ids.has(id)) throw badRequest('Request Id values have to be unique.');
    if (dependsOn.some((other) => !ids.has(other))) throw badRequest('dependsOn may name requests that come before only.');
    ids.add(id);
  }
  return parts;
}

function readPart(given: unknown): Part {
  const { id, method, url, headers = {}, body, dependsOn = [] } = (given ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || typeof method !== 'string' || typeof url !== 'string' || !url.startsWith('/')) {
    throw badRequest('Invalid batch payload format: id, method and a relative url are needed.');
  }
  const named = Object.entries(headers as Record<string, string>).map(([name, value]) => [name.toLowerCase(), value] as const);
  const typed = named.some(([name, value]) => name === 'content-type' && value.includes('json'));
  if (body !== undefined && !typed) throw badRequest('A Content-Type header is needed where there is a body.');
  return { id, method: method.toUpperCase(), url, headers: Object.fromEntries(named), body, dependsOn: dependsOn as string[] };
}
