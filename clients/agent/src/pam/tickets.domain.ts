/** A process that cannot be mistaken for a later one with the same id. */
export interface Anchor {
  pid: number;
  startTicks: string;
}

/**
 * One approval on its way into a session. `APPROVED`: the process that asked for it may open its session. `OPENED`: that
 * session is open as the entry account, and one `su` below it may become the technician's account. Then it is gone.
 */
export interface Ticket {
  loginRequestId: string;
  account: string;
  /** The process whose session it is: nobody else's. */
  anchor: Anchor;
  state: 'APPROVED' | 'OPENED';
  /** Milliseconds on the clock that the caller passes in. */
  until: number;
  /** The session itself runs as the technician's account: nothing is left to become. */
  direct: boolean;
}

/** How long an approval waits for its session, and a session for its shell. Milliseconds. */
export const ticketLifeMs = 60_000;

/** The ticket with which `caller` may open its session now, and what remains of all tickets. */
export function openWith(tickets: readonly Ticket[], caller: Anchor, now: number): { opened: Ticket | null; left: Ticket[] } {
  const opened = tickets.find((ticket) => ticket.state === 'APPROVED' && now < ticket.until && same(ticket.anchor, caller)) ?? null;
  const left = tickets.filter((ticket) => ticket !== opened);
  if (opened && !opened.direct) left.push({ ...opened, state: 'OPENED', until: now + ticketLifeMs });
  return { opened, left };
}

/** The ticket with which a process with these parents may become `account` now, and what remains. */
export function becomeWith(
  tickets: readonly Ticket[],
  account: string,
  parents: readonly Anchor[],
  now: number,
): { used: Ticket | null; left: Ticket[] } {
  const used =
    tickets.find(
      (ticket) =>
        ticket.state === 'OPENED' &&
        now < ticket.until &&
        ticket.account === account &&
        parents.some((parent) => same(parent, ticket.anchor)),
    ) ?? null;
  return { used, left: tickets.filter((ticket) => ticket !== used) };
}

/** Tickets whose time is over, and what remains. */
export function overdue(tickets: readonly Ticket[], now: number): { over: Ticket[]; left: Ticket[] } {
  return { over: tickets.filter(({ until }) => until <= now), left: tickets.filter(({ until }) => until > now) };
}

function same(one: Anchor, other: Anchor): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks;
}
