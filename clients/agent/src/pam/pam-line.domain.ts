/** Which process of which service speaks: its id with its start time (clock ticks since boot). */
export interface PamCaller {
  service: string;
  pid: number;
  startTicks: string;
}

/** What the PAM module says, one line each. */
export type PamRequest =
  | ({ op: 'login' } & PamCaller)
  | ({ op: 'open' } & PamCaller)
  | ({ op: 'become'; account: string } & PamCaller)
  | { op: 'answer'; text: string };

/** What the agent says to the PAM module. `life`: for how many seconds the login may go on. */
export type PamReply = { say: 'life' | 'text' | 'ask' | 'secret' | 'ok' | 'fail'; text: string } | { say: 'wait' };

/** Longest line in either direction, in bytes; the module has room for no more. */
export const longestLine = 1_500;

const caller = /^(login|open|become) ([a-z][a-z0-9-]{0,31}) ([1-9]\d{0,9}) (\d{1,20})(?: (\S{1,64}))?$/;

/** Reads one line of the module (without its end); null when it is none. */
export function readPamLine(line: string): PamRequest | null {
  if (line === 'answer' || line.startsWith('answer ')) return { op: 'answer', text: line.slice('answer '.length).trim() };
  const [, op, service, pid, startTicks, account] = caller.exec(line) ?? [];
  if (service === undefined || startTicks === undefined) return null;
  const from = { service, pid: Number(pid), startTicks };
  if (op === 'become') return account === undefined ? null : { op, account, ...from };
  return account === undefined && (op === 'login' || op === 'open') ? { op, ...from } : null;
}

/** One line for the module, with its end. Control characters become spaces: the text reaches a terminal as it is. */
export function pamLine(reply: PamReply): string {
  if (reply.say === 'wait') return 'wait\n';
  let text = reply.text.replace(/\p{Cc}|[\u2028\u2029]/gu, ' ');
  while (Buffer.byteLength(text) > longestLine) text = text.slice(0, -1);
  return `${reply.say} ${text}\n`;
}
