/*
 * The login shell of the entry account: becomes the technician's own account by the system's `su`, which asks pam_stint,
 * which asks the agent whether this very session was approved. Nothing else ever runs as the entry account.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef SU
#define SU "/bin/su"
#endif

/* As useradd takes them; above all not an option of su. */
static int is_name(const char *text) {
  size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
  return length > 0 && length <= 32 && text[length] == '\0' && text[0] != '-' && text[0] != '.';
}

int main(int argc, char **argv) {
  prctl(PR_SET_DUMPABLE, 0);
  const char *account = getenv("STINT_ACCOUNT");
  if (account == NULL || !is_name(account)) {
    fputs("No access was approved for this session.\n", stderr);
    return 1;
  }
  int command = argc == 3 && strcmp(argv[1], "-c") == 0;
  if (argc != 1 && !command) {
    fputs("usage: stint-shell [-c COMMAND]\n", stderr);
    return 2;
  }
  char terminal[80] = "TERM=dumb";
  const char *term = getenv("TERM");
  if (term != NULL && strlen(term) < sizeof terminal - 6) snprintf(terminal, sizeof terminal, "TERM=%s", term);
  char *environment[] = {terminal, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  /* With a terminal the command keeps it, so that Ctrl-C reaches it. */
  char *how = isatty(0) ? "--session-command" : "-c";
  if (command) execve(SU, (char *[]){"su", "-l", how, argv[2], (char *)account, NULL}, environment);
  else execve(SU, (char *[]){"su", "-l", (char *)account, NULL}, environment);
  perror(SU);
  return 1;
}
