import type { Answer } from '../http/answer.ts';

/** A request as a fault sees it; `path` is the whole path, decoded (`/v1.0/users`, `/login/…/oauth2/v2.0/token`). */
export interface FaultRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

/** What happens instead of the answer. */
export type FaultAnswer =
  | 'RESET'
  | {
      status: number;
      /** Code and message of the error in Graph's shape. */
      code?: string;
      message?: string;
      headers?: Record<string, string>;
      /** A body of one's own instead. */
      body?: object;
    };

/** A fault on demand. */
export interface Fault {
  /** Any when left out. */
  method?: string;
  /** The whole path, `*` for one segment (`/v1.0/users/*`), or an expression; any when left out. */
  path?: string | RegExp;
  /** How many matching requests it hits; 1 when left out. */
  times?: number;
  /** How many matching requests it lets pass before. */
  skip?: number;
  /** Whether the request has had its effect when the fault hits; BEFORE (it has none) when left out. */
  when?: 'BEFORE' | 'AFTER';
  /** Left out: the right answer, only slower. A function may look at the request; null lets it pass. */
  answer?: FaultAnswer | ((request: FaultRequest) => FaultAnswer | null);
  /** Milliseconds that the answer waits, in real time. */
  delayMs?: number;
}

/** A fault that was asked for. */
export interface ArmedFault {
  /** How many requests it has hit. */
  readonly hits: number;
  cancel(): void;
}

interface Hit {
  when: 'BEFORE' | 'AFTER';
  answer: FaultAnswer | null;
  delayMs: number;
}

/** The faults that wait for their requests. */
export class Faults {
  #armed: { fault: Fault; hits: number; skipped: number }[] = [];

  arm(fault: Fault): ArmedFault {
    const armed = { fault, hits: 0, skipped: 0 };
    this.#armed.push(armed);
    return {
      get hits() {
        return armed.hits;
      },
      cancel: () => {
        this.#armed = this.#armed.filter((one) => one !== armed);
      },
    };
  }

  /** The fault that hits this request, if any; counts it. */
  hit(request: FaultRequest): Hit | null {
    for (const armed of this.#armed) {
      const { fault } = armed;
      if (armed.hits >= (fault.times ?? 1) || !matches(fault, request)) continue;
      if (armed.skipped < (fault.skip ?? 0)) {
        armed.skipped += 1;
        continue;
      }
      const answer = typeof fault.answer === 'function' ? fault.answer(request) : (fault.answer ?? null);
      if (answer === null && typeof fault.answer === 'function') continue;
      armed.hits += 1;
      return { when: fault.when ?? 'BEFORE', answer, delayMs: fault.delayMs ?? 0 };
    }
    return null;
  }
}

function matches({ method, path }: Fault, request: FaultRequest): boolean {
  if (method !== undefined && method.toUpperCase() !== request.method) return false;
  if (path === undefined) return true;
  if (path instanceof RegExp) return path.test(request.path);
  const segments = path.split('/').map((segment) => (segment === '*' ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${segments.join('/')}$`).test(request.path);
}

const usual: Record<number, string> = {
  429: 'TooManyRequests',
  500: 'InternalServerError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
};

/** The answer of a fault, in Graph's shape. */
export function faultAnswer(answer: Exclude<FaultAnswer, 'RESET'>, at: string): Answer {
  const code = answer.code ?? usual[answer.status] ?? 'UnknownError';
  return {
    status: answer.status,
    headers: answer.headers ?? {},
    body: answer.body ?? { error: { code, message: answer.message ?? code, innerError: { date: at.replace(/(\.\d+)?Z$/, '') } } },
  };
}
