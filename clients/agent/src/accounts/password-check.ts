import { verify } from 'unixcrypt';
import { findTool, type RunTool } from './tool-runner.ts';

// The system's own crypt(3), for hashes that the library does not know (yescrypt). Both values come by stdin.
const script = 'chomp(my $h = <STDIN>); chomp(my $p = <STDIN>); my $c = crypt($p, $h); exit(defined($c) ? ($c eq $h ? 0 : 1) : 2);';

/** Whether `password` has this crypt(5) hash; null when neither the library (SHA-256, SHA-512) nor the system can say. */
export async function passwordMatches(hash: string, password: string, run: RunTool): Promise<boolean | null> {
  if (!hash.startsWith('$')) return false;
  if (/^\$[56]\$/.test(hash)) return verify(password, hash);
  if (findTool('perl') === null) return null;
  const { code } = await run('perl', ['-e', script], `${hash}\n${password}\n`);
  return code === 0 ? true : code === 1 ? false : null;
}
