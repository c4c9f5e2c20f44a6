import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { domainName } from '@stint/contracts';

/** The DNS name of the Active Directory domain that this Linux computer is joined to or controls, from SSSD's and Samba's own settings; null for none. */
export function joinedDomain(root: string | null): string | null {
  const at = (path: string) => readIfThere(join(root ?? '/', path));
  return domainOfSssd(at('etc/sssd/sssd.conf')) ?? domainOfSamba(at('etc/samba/smb.conf'));
}

/** sssd.conf(5): the first active domain whose provider is AD; `ad_domain` names it where the section's name does not. */
export function domainOfSssd(text: string): string | null {
  const sections = iniSections(text);
  const active = (sections.get('sssd')?.get('domains') ?? '').split(',').map((name) => name.trim());
  for (const name of active) {
    const domain = sections.get(`domain/${name.toLowerCase()}`);
    if (domain?.get('id_provider') === 'ad') return valid(domain.get('ad_domain') ?? name);
  }
  return null;
}

/** smb.conf(5): the realm of a member (`security = ads`) or of a domain controller. */
export function domainOfSamba(text: string): string | null {
  const settings = iniSections(text).get('global');
  const belongs =
    settings?.get('security')?.toLowerCase() === 'ads' || /domain controller|\bdc\b/i.test(settings?.get('server role') ?? '');
  return belongs ? valid(settings?.get('realm') ?? '') : null;
}

function iniSections(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.split('\n')) {
    const section = /^\s*\[([^\]]+)\]/.exec(line)?.[1]?.trim().toLowerCase();
    if (section !== undefined) {
      current = sections.get(section) ?? new Map();
      sections.set(section, current);
      continue;
    }
    const [, name, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) current?.set(name.toLowerCase(), value);
  }
  return sections;
}

function valid(name: string): string | null {
  const parsed = domainName.safeParse(name);
  return parsed.success ? parsed.data : null;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
